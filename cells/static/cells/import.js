/** The page that imports a file: what it brings into a sheet is a step of this tab's undo. */

import { rememberStep } from "./sync/journal.js";
import { byId } from "./ui/elements.js";
import { offerImporting } from "./ui/importing.js";

const { keptAs = "" } = byId("import").dataset;

offerImporting((operation_ids) => {
  if (keptAs) rememberStep(`sheetsync.client_id.${keptAs}`, operation_ids);
});
