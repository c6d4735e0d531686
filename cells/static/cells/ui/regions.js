/** F6 and Ctrl+F6: from one region of the page to the next, as between the panes of a desktop program. */

// In the order of the page. The dialogs are not among them: they keep the keyboard until they are closed.
const REGIONS = "header.bar, [role=toolbar], .formula-bar, [role=grid], [role=search], [data-region], .notice, footer";
const FOCUSABLE = "a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), [tabindex='0']";

/**
 * Return the elements that a region offers to the keyboard.
 * @param {HTMLElement} region
 * @returns {HTMLElement[]}
 */
function stopsOf(region) {
  /** @type {HTMLElement[]} */
  const stops = region.matches(FOCUSABLE) ? [region] : [...region.querySelectorAll(/** @type {"button"} */ (FOCUSABLE))];
  return stops.filter((stop) => stop.tabIndex >= 0 && stop.checkVisibility({ visibilityProperty: true }));
}

/**
 * Let the keyboard go round the page's regions.
 * @param {() => void} leaving before anything loses the keyboard
 * @returns {(direction: 1|-1) => void}
 */
export function makeRegions(leaving) {
  /** @param {1|-1} direction */
  const go = (direction) => {
    leaving();
    /** @type {HTMLElement[]} */
    const regions = [...document.querySelectorAll(/** @type {"div"} */ (REGIONS))].filter((region) => stopsOf(region).length > 0);
    const at = regions.lastIndexOf(regions.filter((region) => region.contains(document.activeElement)).at(-1) ?? document.body);
    const next = regions.at(at < 0 && direction < 0 ? -1 : (at + direction) % regions.length);
    if (next) stopsOf(next)[0].focus();
  };
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "F6" || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      event.stopPropagation();
      go(event.shiftKey ? -1 : 1);
    },
    true,
  );
  return go;
}
