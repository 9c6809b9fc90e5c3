/** What Analyze keeps over a reload of this tab, and no longer than the person is signed in. */

const DRAFT = "analyze.draft";
const MANY = "analyze.many";

/** Characters of the longest text that is kept. */
export const LONGEST_KEPT = 200_000;

export const keepDraft = (draft) => keep(DRAFT, draft);
export const keptDraft = () => kept(DRAFT);

/** Keep which files were sent as these batches, and what became of those that no job stands for. */
export function keepMany(batches, items) {
  const told = items.map(({ name, kind, id, state, problem }) => ({
    name,
    kind,
    id,
    state,
    problem: problem && { title: problem.title, detail: problem.detail, code: problem.code, requestId: problem.requestId },
  }));
  keep(MANY, { batches, items: told });
}

/** The items of these batches, or null where this tab did not send them. */
export function keptMany(batches) {
  const many = kept(MANY);
  return many && many.batches.join() === batches.join() ? many.items : null;
}

/** Forget all of it. */
export function forgetDraft() {
  sessionStorage.removeItem(DRAFT);
  sessionStorage.removeItem(MANY);
}

function keep(name, value) {
  try {
    sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    sessionStorage.removeItem(name); // no room; it is still on the page
  }
}

const kept = (name) => JSON.parse(sessionStorage.getItem(name) ?? "null");
