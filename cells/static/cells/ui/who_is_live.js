/** The home page's badges of who is on which sheet: fetched again now and then, while somebody looks. */

const LOOK_MS = 10_000; // a page with 25 sheets each time: often enough to be believed

/** Put what the page says by now in place of what it shows, and nothing else: somebody may be typing in it. */
async function look() {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok) return;
  const now = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const shown of document.querySelectorAll(".live")) {
    const news = now.getElementById(shown.id);
    shown.replaceChildren(...(news ? document.adoptNode(news).childNodes : []));
  }
}

function lookIfSeen() {
  if (document.visibilityState === "visible") look().catch(() => {}); // without network it stays as it is
}

setInterval(lookIfSeen, LOOK_MS);
document.addEventListener("visibilitychange", lookIfSeen);
