/** In which order cells stand: numbers and dates first, then texts, then TRUE and FALSE; empty ones last either way. */

/** @typedef {number|string|boolean|null} Key null: empty */

/**
 * Return the order of `keys` as their places; what is equal stays as it was.
 * @param {readonly Key[]} keys
 * @param {1|-1} direction -1: from the last to the first
 * @param {(one: string, other: string) => number} compareTexts
 * @returns {number[]}
 */
export function sortedOrder(keys, direction, compareTexts) {
  const order = keys.map((_, place) => place);
  return order.sort((left, right) => {
    const [one, other] = [keys[left], keys[right]];
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    const ranks = rankOf(one) - rankOf(other);
    if (ranks !== 0) return ranks * direction;
    if (typeof one === "string") return compareTexts(one, String(other)) * direction;
    return (Number(one) - Number(other)) * direction;
  });
}

/** @param {number|string|boolean} key */
function rankOf(key) {
  return typeof key === "number" ? 0 : typeof key === "string" ? 1 : 2;
}
