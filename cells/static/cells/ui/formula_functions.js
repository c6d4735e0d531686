/** The functions of formulas, as they are offered while a formula is typed: names, arguments, a sentence each. */

import { gettext, pgettext } from "./words.js";

/** @typedef {{name: string, arguments: string[], isOptional: boolean[], repeats: number, says: string}} Described `repeats`: so many of the last arguments may come again and again */

/** What is meant most often by a few letters: offered first. */
const FREQUENT = new Set([
  ...["SUM", "AVERAGE", "COUNT", "COUNTA", "COUNTIF", "SUMIF", "SUMIFS", "COUNTIFS", "MIN", "MAX", "MEDIAN", "ROUND", "ABS", "MOD", "INT"],
  ...["IF", "IFS", "IFERROR", "AND", "OR", "NOT", "SWITCH", "VLOOKUP", "XLOOKUP", "INDEX", "MATCH", "CONCAT", "TEXTJOIN", "TEXT"],
  ...["LEFT", "RIGHT", "MID", "LEN", "TRIM", "UPPER", "LOWER", "FIND", "TODAY", "NOW", "DATE", "YEAR", "MONTH", "DAY", "EDATE"],
]);

/** @type {Map<string, Described>|null} made when it is first asked for */
let known = null;

/**
 * Return what is known of a function.
 * @param {string} name
 * @returns {Described|undefined}
 */
export function functionNamed(name) {
  return all().get(name.toUpperCase());
}

/**
 * Return the functions whose names begin so: the one that is called so, then frequent ones, then the others, each by name.
 * @param {string} start
 * @returns {Described[]}
 */
export function functionsBeginning(start) {
  const wanted = start.toUpperCase();
  const rank = (/** @type {Described} */ { name }) => `${Number(name !== wanted)}${Number(!FREQUENT.has(name))}${name}`;
  return [...all().values()].filter(({ name }) => name.startsWith(wanted)).sort((one, other) => (rank(one) < rank(other) ? -1 : 1));
}

/**
 * Return which of a function's arguments the one at a place is.
 * @param {Described} described
 * @param {number} place
 * @returns {number} -1: one too many
 */
export function argumentAt({ arguments: names, repeats }, place) {
  if (place < names.length) return place;
  return repeats === 0 ? -1 : names.length - repeats + ((place - names.length) % repeats);
}

function all() {
  if (known === null) known = new Map([...numbers(), ...statistics(), ...logic(), ...texts(), ...dates(), ...lookups(), ...information(), ...finance()]);
  return known;
}

/**
 * @param {string} name
 * @param {string} list of arguments; in square brackets what may be left out, at the end ... or ...2 for what may be repeated
 * @param {string} says
 * @returns {[string, Described]}
 */
function described(name, list, says) {
  const parts = list === "" ? [] : list.split(", ");
  const repeats = /^\.\.\.\d?$/.test(parts.at(-1) ?? "") ? Number(/** @type {string} */ (parts.pop()).slice(3) || 1) : 0;
  const isOptional = parts.map((part) => part.startsWith("["));
  return [name, { name, arguments: parts.map((part) => argumentName(part.replace(/[[\]]/g, ""))), isOptional, repeats, says }];
}

/** @type {(name: string) => string} */
function argumentName(name) {
  switch (name) {
    case "number": return pgettext("argument", "number");
    case "value": return pgettext("argument", "value");
    case "text": return pgettext("argument", "text");
    case "range": return pgettext("argument", "range");
    case "criterion": return pgettext("argument", "criterion");
    case "sum range": return pgettext("argument", "sum range");
    case "average range": return pgettext("argument", "average range");
    case "value range": return pgettext("argument", "value range");
    case "result range": return pgettext("argument", "result range");
    case "divisor": return pgettext("argument", "divisor");
    case "digits": return pgettext("argument", "digits");
    case "multiple": return pgettext("argument", "multiple");
    case "exponent": return pgettext("argument", "exponent");
    case "base": return pgettext("argument", "base");
    case "least": return pgettext("argument", "least");
    case "most": return pgettext("argument", "most");
    case "chosen": return pgettext("argument", "chosen");
    case "angle": return pgettext("argument", "angle");
    case "x": return pgettext("argument", "x");
    case "y": return pgettext("argument", "y");
    case "function": return pgettext("argument", "function");
    case "place": return pgettext("argument", "place");
    case "share": return pgettext("argument", "share");
    case "quarter": return pgettext("argument", "quarter");
    case "order": return pgettext("argument", "order");
    case "known y": return pgettext("argument", "known y");
    case "known x": return pgettext("argument", "known x");
    case "condition": return pgettext("argument", "condition");
    case "if true": return pgettext("argument", "if true");
    case "if false": return pgettext("argument", "if false");
    case "if error": return pgettext("argument", "if error");
    case "case": return pgettext("argument", "case");
    case "result": return pgettext("argument", "result");
    case "separator": return pgettext("argument", "separator");
    case "skip empty": return pgettext("argument", "skip empty");
    case "count": return pgettext("argument", "count");
    case "start": return pgettext("argument", "start");
    case "wanted": return pgettext("argument", "wanted");
    case "old text": return pgettext("argument", "old text");
    case "new text": return pgettext("argument", "new text");
    case "which": return pgettext("argument", "which");
    case "format": return pgettext("argument", "format");
    case "code": return pgettext("argument", "code");
    case "date": return pgettext("argument", "date");
    case "time": return pgettext("argument", "time");
    case "year": return pgettext("argument", "year");
    case "month": return pgettext("argument", "month");
    case "day": return pgettext("argument", "day");
    case "hour": return pgettext("argument", "hour");
    case "minute": return pgettext("argument", "minute");
    case "second": return pgettext("argument", "second");
    case "months": return pgettext("argument", "months");
    case "days": return pgettext("argument", "days");
    case "end": return pgettext("argument", "end");
    case "unit": return pgettext("argument", "unit");
    case "holidays": return pgettext("argument", "holidays");
    case "kind": return pgettext("argument", "kind");
    case "table": return pgettext("argument", "table");
    case "row": return pgettext("argument", "row");
    case "column": return pgettext("argument", "column");
    case "rows": return pgettext("argument", "rows");
    case "columns": return pgettext("argument", "columns");
    case "sorted": return pgettext("argument", "sorted");
    case "if missing": return pgettext("argument", "if missing");
    case "reference": return pgettext("argument", "reference");
    case "height": return pgettext("argument", "height");
    case "width": return pgettext("argument", "width");
    case "rate": return pgettext("argument", "rate");
    case "periods": return pgettext("argument", "periods");
    case "period": return pgettext("argument", "period");
    case "payment": return pgettext("argument", "payment");
    case "present value": return pgettext("argument", "present value");
    case "future value": return pgettext("argument", "future value");
    case "due at start": return pgettext("argument", "due at start");
    case "guess": return pgettext("argument", "guess");
    case "cost": return pgettext("argument", "cost");
    case "rest": return pgettext("argument", "rest");
    default: throw new Error(`No argument is called ${name}.`);
  }
}

function numbers() {
  return [
    described("SUM", "number, ...", gettext("Adds numbers.")),
    described("SUMIF", "range, criterion, [sum range]", gettext("Adds the numbers whose cells meet a criterion.")),
    described("SUMIFS", "sum range, range, criterion, ...2", gettext("Adds the numbers whose cells meet several criteria.")),
    described("SUMPRODUCT", "range, ...", gettext("Multiplies ranges cell by cell and adds the products.")),
    described("SUMSQ", "number, ...", gettext("Adds the squares of numbers.")),
    described("PRODUCT", "number, ...", gettext("Multiplies numbers.")),
    described("QUOTIENT", "number, divisor", gettext("Divides, and leaves the remainder.")),
    described("MOD", "number, divisor", gettext("Returns the remainder of a division.")),
    described("ABS", "number", gettext("Returns a number without its sign.")),
    described("SIGN", "number", gettext("Returns 1, 0 or -1: the sign of a number.")),
    described("INT", "number", gettext("Rounds down to a whole number.")),
    described("TRUNC", "number, [digits]", gettext("Cuts off decimals.")),
    described("ROUND", "number, digits", gettext("Rounds to so many decimals.")),
    described("ROUNDUP", "number, digits", gettext("Rounds away from zero.")),
    described("ROUNDDOWN", "number, digits", gettext("Rounds towards zero.")),
    described("MROUND", "number, multiple", gettext("Rounds to the nearest multiple.")),
    described("CEILING", "number, multiple", gettext("Rounds up to a multiple.")),
    described("FLOOR", "number, multiple", gettext("Rounds down to a multiple.")),
    described("EVEN", "number", gettext("Rounds away from zero to an even number.")),
    described("ODD", "number", gettext("Rounds away from zero to an odd number.")),
    described("POWER", "number, exponent", gettext("Raises a number to a power.")),
    described("SQRT", "number", gettext("Returns the square root.")),
    described("EXP", "number", gettext("Raises e to a power.")),
    described("LN", "number", gettext("Returns the natural logarithm.")),
    described("LOG", "number, [base]", gettext("Returns the logarithm to a base, 10 if none is given.")),
    described("LOG10", "number", gettext("Returns the logarithm to base 10.")),
    described("PI", "", gettext("Returns π.")),
    described("RAND", "", gettext("Returns a random number from 0 to 1.")),
    described("RANDBETWEEN", "least, most", gettext("Returns a random whole number between two others.")),
    described("GCD", "number, ...", gettext("Returns the greatest common divisor.")),
    described("LCM", "number, ...", gettext("Returns the least common multiple.")),
    described("FACT", "number", gettext("Returns the factorial.")),
    described("COMBIN", "number, chosen", gettext("Counts the ways to choose some of many, in any order.")),
    described("PERMUT", "number, chosen", gettext("Counts the ways to choose some of many, in order.")),
    described("SIN", "angle", gettext("Returns the sine of an angle in radians.")),
    described("COS", "angle", gettext("Returns the cosine of an angle in radians.")),
    described("TAN", "angle", gettext("Returns the tangent of an angle in radians.")),
    described("ASIN", "number", gettext("Returns the angle of a sine, in radians.")),
    described("ACOS", "number", gettext("Returns the angle of a cosine, in radians.")),
    described("ATAN", "number", gettext("Returns the angle of a tangent, in radians.")),
    described("ATAN2", "x, y", gettext("Returns the angle of a point, in radians.")),
    described("SINH", "number", gettext("Returns the hyperbolic sine.")),
    described("COSH", "number", gettext("Returns the hyperbolic cosine.")),
    described("TANH", "number", gettext("Returns the hyperbolic tangent.")),
    described("DEGREES", "angle", gettext("Converts radians to degrees.")),
    described("RADIANS", "angle", gettext("Converts degrees to radians.")),
    described("SUBTOTAL", "function, range, ...", gettext("Sums up a range, leaving out other subtotals in it.")),
    described("ROMAN", "number", gettext("Writes a number in Roman numerals.")),
    described("ARABIC", "text", gettext("Reads Roman numerals.")),
  ];
}

function statistics() {
  return [
    described("AVERAGE", "number, ...", gettext("Returns the mean of numbers.")),
    described("AVERAGEIF", "range, criterion, [average range]", gettext("Returns the mean of the numbers whose cells meet a criterion.")),
    described("AVERAGEIFS", "average range, range, criterion, ...2", gettext("Returns the mean of the numbers whose cells meet several criteria.")),
    described("COUNT", "value, ...", gettext("Counts numbers.")),
    described("COUNTA", "value, ...", gettext("Counts what is not empty.")),
    described("COUNTBLANK", "range", gettext("Counts empty cells.")),
    described("COUNTIF", "range, criterion", gettext("Counts the cells that meet a criterion.")),
    described("COUNTIFS", "range, criterion, ...2", gettext("Counts the cells that meet several criteria.")),
    described("MAX", "number, ...", gettext("Returns the largest number.")),
    described("MAXIFS", "value range, range, criterion, ...2", gettext("Returns the largest number whose cells meet several criteria.")),
    described("MIN", "number, ...", gettext("Returns the smallest number.")),
    described("MINIFS", "value range, range, criterion, ...2", gettext("Returns the smallest number whose cells meet several criteria.")),
    described("MEDIAN", "number, ...", gettext("Returns the number in the middle.")),
    described("MODE", "number, ...", gettext("Returns the number that is most frequent.")),
    described("LARGE", "range, place", gettext("Returns the n-th largest number.")),
    described("SMALL", "range, place", gettext("Returns the n-th smallest number.")),
    described("RANK", "number, range, [order]", gettext("Returns at which place a number stands among others.")),
    described("PERCENTILE", "range, share", gettext("Returns the number below which a share of all others lies.")),
    described("QUARTILE", "range, quarter", gettext("Returns the number at which a quarter of all others ends.")),
    described("STDEV", "number, ...", gettext("Estimates the standard deviation from a sample.")),
    described("STDEV.S", "number, ...", gettext("Estimates the standard deviation from a sample.")),
    described("STDEV.P", "number, ...", gettext("Returns the standard deviation of all numbers.")),
    described("VAR", "number, ...", gettext("Estimates the variance from a sample.")),
    described("VAR.S", "number, ...", gettext("Estimates the variance from a sample.")),
    described("VAR.P", "number, ...", gettext("Returns the variance of all numbers.")),
    described("CORREL", "range, range", gettext("Returns how closely two ranges go together, from -1 to 1.")),
    described("SLOPE", "known y, known x", gettext("Returns the slope of the line through points.")),
    described("INTERCEPT", "known y, known x", gettext("Returns where the line through points meets the y axis.")),
    described("FORECAST", "x, known y, known x", gettext("Returns the y of an x on the line through points.")),
    described("GEOMEAN", "number, ...", gettext("Returns the geometric mean.")),
    described("HARMEAN", "number, ...", gettext("Returns the harmonic mean.")),
  ];
}

function logic() {
  return [
    described("IF", "condition, if true, [if false]", gettext("Returns one value if a condition is true, another one if not.")),
    described("IFS", "condition, result, ...2", gettext("Returns the result of the first condition that is true.")),
    described("IFERROR", "value, if error", gettext("Returns something else in place of an error.")),
    described("IFNA", "value, if error", gettext("Returns something else where nothing was found.")),
    described("SWITCH", "value, case, result, ...2", gettext("Returns the result of the case that a value equals.")),
    described("AND", "condition, ...", gettext("Says whether all conditions are true.")),
    described("OR", "condition, ...", gettext("Says whether any condition is true.")),
    described("XOR", "condition, ...", gettext("Says whether an odd number of conditions are true.")),
    described("NOT", "condition", gettext("Says whether a condition is false.")),
    described("TRUE", "", gettext("Is true.")),
    described("FALSE", "", gettext("Is false.")),
  ];
}

function texts() {
  return [
    described("CONCAT", "text, ...", gettext("Joins texts.")),
    described("CONCATENATE", "text, ...", gettext("Joins texts.")),
    described("TEXTJOIN", "separator, skip empty, text, ...", gettext("Joins texts with something between them.")),
    described("LEFT", "text, [count]", gettext("Returns the first characters of a text.")),
    described("RIGHT", "text, [count]", gettext("Returns the last characters of a text.")),
    described("MID", "text, start, count", gettext("Returns characters out of the middle of a text.")),
    described("LEN", "text", gettext("Counts the characters of a text.")),
    described("LOWER", "text", gettext("Writes a text in small letters.")),
    described("UPPER", "text", gettext("Writes a text in capital letters.")),
    described("PROPER", "text", gettext("Begins each word with a capital letter.")),
    described("TRIM", "text", gettext("Removes spaces that are not needed.")),
    described("CLEAN", "text", gettext("Removes characters that cannot be seen.")),
    described("SUBSTITUTE", "text, old text, new text, [which]", gettext("Puts one text in the place of another.")),
    described("REPLACE", "text, start, count, new text", gettext("Puts a text in the place of some characters.")),
    described("FIND", "wanted, text, [start]", gettext("Returns where a text stands in another one; capital letters count.")),
    described("SEARCH", "wanted, text, [start]", gettext("Returns where a text stands in another one; capital letters do not count.")),
    described("EXACT", "text, text", gettext("Says whether two texts are the same to the letter.")),
    described("REPT", "text, count", gettext("Repeats a text.")),
    described("TEXT", "value, format", gettext("Writes a number or a date as a format says.")),
    described("VALUE", "text", gettext("Reads a number from a text.")),
    described("FIXED", "number, [digits]", gettext("Writes a number with so many decimals.")),
    described("CHAR", "code", gettext("Returns the character of a code.")),
    described("CODE", "text", gettext("Returns the code of the first character.")),
    described("UNICHAR", "code", gettext("Returns the Unicode character of a code.")),
    described("UNICODE", "text", gettext("Returns the Unicode code of the first character.")),
    described("TEXTBEFORE", "text, separator", gettext("Returns what stands before a separator.")),
    described("TEXTAFTER", "text, separator", gettext("Returns what stands behind a separator.")),
  ];
}

function dates() {
  return [
    described("TODAY", "", gettext("Returns the date of today.")),
    described("NOW", "", gettext("Returns the date and time of now.")),
    described("DATE", "year, month, day", gettext("Makes a date.")),
    described("TIME", "hour, minute, second", gettext("Makes a time.")),
    described("DATEVALUE", "text", gettext("Reads a date from a text.")),
    described("TIMEVALUE", "text", gettext("Reads a time from a text.")),
    described("YEAR", "date", gettext("Returns the year of a date.")),
    described("MONTH", "date", gettext("Returns the month of a date.")),
    described("DAY", "date", gettext("Returns the day of a date.")),
    described("HOUR", "time", gettext("Returns the hour of a time.")),
    described("MINUTE", "time", gettext("Returns the minute of a time.")),
    described("SECOND", "time", gettext("Returns the second of a time.")),
    described("WEEKDAY", "date, [kind]", gettext("Returns the day of the week as a number.")),
    described("WEEKNUM", "date, [kind]", gettext("Returns the number of the week in its year.")),
    described("ISOWEEKNUM", "date", gettext("Returns the number of the week as ISO 8601 counts them.")),
    described("EDATE", "date, months", gettext("Returns the same day so many months later.")),
    described("EOMONTH", "date, months", gettext("Returns the last day of a month so many months later.")),
    described("DAYS", "end, start", gettext("Counts the days between two dates.")),
    described("DAYS360", "start, end", gettext("Counts the days between two dates, twelve months of 30 days a year.")),
    described("DATEDIF", "start, end, unit", gettext("Counts days, months or years between two dates.")),
    described("NETWORKDAYS", "start, end, [holidays]", gettext("Counts the working days between two dates.")),
    described("WORKDAY", "start, days, [holidays]", gettext("Returns the date so many working days later.")),
    described("YEARFRAC", "start, end, [kind]", gettext("Returns which part of a year lies between two dates.")),
  ];
}

function lookups() {
  return [
    described("VLOOKUP", "wanted, table, column, [sorted]", gettext("Looks down the first column, and returns what stands in the same row.")),
    described("HLOOKUP", "wanted, table, row, [sorted]", gettext("Looks along the first row, and returns what stands in the same column.")),
    described("XLOOKUP", "wanted, range, result range, [if missing]", gettext("Looks for a value in one range, and returns what stands there in another.")),
    described("LOOKUP", "wanted, range, [result range]", gettext("Looks for a value in a sorted range.")),
    described("MATCH", "wanted, range, [kind]", gettext("Returns at which place a value stands in a range.")),
    described("XMATCH", "wanted, range, [kind]", gettext("Returns at which place a value stands in a range.")),
    described("INDEX", "range, row, [column]", gettext("Returns what stands at a place of a range.")),
    described("CHOOSE", "place, value, ...", gettext("Returns one of several values.")),
    described("OFFSET", "reference, rows, columns, [height], [width]", gettext("Returns what stands so many rows and columns away.")),
    described("INDIRECT", "text", gettext("Returns what stands at an address that is written as a text.")),
    described("ADDRESS", "row, column", gettext("Writes an address as a text.")),
    described("ROW", "[reference]", gettext("Returns the number of a row.")),
    described("COLUMN", "[reference]", gettext("Returns the number of a column.")),
    described("ROWS", "range", gettext("Counts the rows of a range.")),
    described("COLUMNS", "range", gettext("Counts the columns of a range.")),
  ];
}

function information() {
  return [
    described("ISBLANK", "value", gettext("Says whether a cell is empty.")),
    described("ISNUMBER", "value", gettext("Says whether a value is a number.")),
    described("ISTEXT", "value", gettext("Says whether a value is a text.")),
    described("ISLOGICAL", "value", gettext("Says whether a value is TRUE or FALSE.")),
    described("ISERROR", "value", gettext("Says whether a value is an error.")),
    described("ISERR", "value", gettext("Says whether a value is an error other than #N/A.")),
    described("ISNA", "value", gettext("Says whether a value is #N/A.")),
    described("ISEVEN", "number", gettext("Says whether a number is even.")),
    described("ISODD", "number", gettext("Says whether a number is odd.")),
    described("N", "value", gettext("Returns a value as a number.")),
    described("NA", "", gettext("Returns #N/A: no value is there.")),
  ];
}

function finance() {
  return [
    described("PMT", "rate, periods, present value, [future value], [due at start]", gettext("Returns the payment of each period of a loan.")),
    described("IPMT", "rate, period, periods, present value", gettext("Returns the interest in the payment of a period.")),
    described("PPMT", "rate, period, periods, present value", gettext("Returns what the payment of a period pays back.")),
    described("PV", "rate, periods, payment, [future value]", gettext("Returns what payments to come are worth today.")),
    described("FV", "rate, periods, payment, [present value]", gettext("Returns what payments have come to at the end.")),
    described("NPER", "rate, payment, present value", gettext("Counts the periods until a loan is paid back.")),
    described("RATE", "periods, payment, present value", gettext("Returns the interest rate of a period.")),
    described("NPV", "rate, value, ...", gettext("Returns what payments that differ are worth today.")),
    described("IRR", "range, [guess]", gettext("Returns the rate at which payments come to nothing.")),
    described("SLN", "cost, rest, periods", gettext("Returns how much something loses in value in each period.")),
  ];
}
