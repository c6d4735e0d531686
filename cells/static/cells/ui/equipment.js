/**
 * What a sheet's page can do without until its first cells are on the screen: loaded next, and long before it is needed.
 * Nothing that is needed to show a cell, to move about and to type may be here; what is asked of it before it has come is
 * done then.
 */

export { Actions } from "./actions.js";
export { Announcer } from "./announcer.js";
export { Borders } from "./borders.js";
export { Clipboard } from "./clipboard.js";
export { FillHandle } from "./fill_handle.js";
export { Filling } from "./filling.js";
export { Find } from "./find.js";
export { fitRows } from "./fitting.js";
export { Flight } from "./flight.js";
export { Follow } from "./follow.js";
export { FormulaEditing } from "./formula_editing.js";
export { noteOf, spokenOf } from "./formula_notes.js";
export { freezeItems } from "./freezing.js";
export { placeHandles } from "./handles.js";
export { Help } from "./help.js";
export { lookChangeOf } from "./look_keys.js";
export { Menu } from "./menu.js";
export { fileItems, menuItems, rangeItems } from "./menu_items.js";
export { MoreRows } from "./more_rows.js";
export { Offers } from "./offers.js";
export { People } from "./people.js";
export { refusalOf } from "./refusals.js";
export { makeRegions } from "./regions.js";
export { Streams } from "./streams.js";
export { Styling } from "./styling.js";
export { SumsLine } from "./sums.js";
export { Tints } from "./tints.js";
export { Toolbar } from "./toolbar.js";
export { Touch } from "./touch.js";
export { Voice } from "./voice.js";
