/**
 * A link from elsewhere opens this page although the person is signed in, because browsers keep our cookie back on a
 * first visit from another site. Asked by ourselves they send it, and this very address then leads on.
 */

import { find } from "./dom.js";

async function goOnIfSignedIn() {
  const { type } = await fetch("/sign-in", { redirect: "manual", credentials: "same-origin" });
  if (type === "opaqueredirect") location.replace(find('[name="next"]').value);
}

if (!find("#problem")) goOnIfSignedIn();
