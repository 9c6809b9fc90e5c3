/** The draft of Analyze, kept over a reload of this tab, and no longer than the person is signed in. */

const NAME = "analyze.draft";

/** Characters of the longest text that is kept. */
export const LONGEST_KEPT = 200_000;

export function keepDraft(draft) {
  try {
    sessionStorage.setItem(NAME, JSON.stringify(draft));
  } catch {
    forgetDraft(); // no room; the text is still on the page
  }
}

export const keptDraft = () => JSON.parse(sessionStorage.getItem(NAME) ?? "null");

export const forgetDraft = () => sessionStorage.removeItem(NAME);
