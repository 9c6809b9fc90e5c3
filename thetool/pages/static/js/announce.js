/** Words for those who hear the page: the one polite live region of the layout. */

import { find } from "./dom.js";

/** Have `text` read out; the same words again are read again. */
export function announce(text) {
  const region = find("#announcer");
  region.textContent = "";
  setTimeout(() => (region.textContent = text), 50);
}
