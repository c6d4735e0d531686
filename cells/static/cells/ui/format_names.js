/** How number formats are called. */

import { gettext } from "./words.js";

/** @param {string|undefined} format */
export function formatName(format) {
  switch (format) {
    case "plain": return gettext("Plain number");
    case "thousands": return gettext("Number");
    case "currency": return gettext("Currency");
    case "percent": return gettext("Percent");
    case "date": return gettext("Date");
    case "time": return gettext("Time");
    case "datetime": return gettext("Date and time");
    default: return gettext("Automatic");
  }
}
