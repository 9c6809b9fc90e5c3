/**
 * A link from elsewhere opens this page although the person is signed in, because browsers keep our cookie back on a
 * first visit from another site. Asked by ourselves they send it: then go on.
 */

import { call } from "./api.js";
import { find } from "./dom.js";

if (!find("#problem")) {
  call("/status.json").then(
    () => location.replace(find('[name="next"]').value),
    () => {},
  );
}
