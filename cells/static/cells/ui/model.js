/** What the user interface needs to know of a sheet; sync/replica.js happens to be one. */

/** @typedef {import("../domain/axes.js").Axis} Axis */
/** @typedef {import("../domain/addresses.js").Range} Range */
/** @typedef {import("../domain/operations.js").Intended} Intended */
/** @typedef {import("../domain/styles.js").Style} Style */
/** @typedef {[first_id: number, count: number, pixels: number]} SizeRun */
/**
 * @typedef {object} Model
 * @property {Axis} rows
 * @property {Axis} columns
 * @property {SizeRun[]} rowSizes
 * @property {SizeRun[]} columnSizes
 * @property {{rows: number, columns: number}} frozen how many of the first ones stay in view
 * @property {{rows: number, columns: number}} frozenNext likewise, once the log has what is on its way: another freezing starts from that
 * @property {boolean} mayEdit
 * @property {string} refusal what to say to who would change what may not be changed
 * @property {boolean} isLoaded
 * @property {boolean} isAwaitingCells they are right behind the sheet's shape: what is painted now would be painted again at once
 * @property {(row: number) => boolean} isKnown whether all cells of a row are here
 * @property {(stretches: {first: number, last: number}[]) => void} wantRows have what is missing of the rows in view come ahead of the rest
 * @property {boolean} canUndo
 * @property {boolean} canRedo
 * @property {(row: number, column: number) => {input: string, style?: Style, value?: unknown}|undefined} cellAt
 * @property {(row: number, column: number) => string} inputAt
 * @property {(row: number, column: number) => Style|undefined} styleAt
 * @property {(only?: {row?: number, column?: number}) => Iterable<[number, number]>} filled whose input is not empty
 * @property {(only?: {row?: number, column?: number}) => Iterable<[number, number]>} styled that have a style
 * @property {(operation: Intended) => string} submit
 * @property {<T>(run: () => T) => T} asOneStep what `run` submits, before it returns, is undone together
 * @property {(operation_id?: string) => boolean} undo one's newest step or, if it is there, that of an operation; false: there is nothing of one's own to take back
 * @property {() => boolean} redo
 */

export const ROW_HEIGHT_PX = 25;
export const COLUMN_WIDTH_PX = 112;
export const MAX_SIZE_PX = 2_000; // the server's limit
export const MAX_FITTED_PX = 800; // a long text must not push its neighbours off the screen
export const MIN_SIZE_PX = 16; // what a row or column can be dragged down to and still be caught again
