/** Registers the worker that shows the offline page, where a browser has workers: on https, and on this machine. */

const WAIT_MS = 2_000; // after the page is loaded: fetching and starting a worker takes what the page needs for its first cells

function register() {
  // A browser may refuse, as some do in private windows; then its own page is shown.
  const { content } = /** @type {HTMLMetaElement} */ (document.querySelector("meta[name=service-worker]"));
  navigator.serviceWorker.register(content, { updateViaCache: "none" }).catch(() => {});
}

if (isSecureContext && "serviceWorker" in navigator) {
  const registerLater = () => setTimeout(register, WAIT_MS);
  if (document.readyState === "complete") registerLater();
  else addEventListener("load", registerLater, { once: true });
}
