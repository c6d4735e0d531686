// Runs in every page from its start: notes when the first cell was painted, and counts frames.

window.measured = new Promise((resolve) => {
  const look = () => {
    if (!window.subject?.isPainted()) return requestAnimationFrame(look);
    // Painted in this frame, and so on the screen when the next one begins.
    requestAnimationFrame((now) => resolve(now - performance.getEntriesByType("navigation")[0].responseEnd));
  };
  requestAnimationFrame(look);
});

window.framesWhile = (seconds, step) =>
  new Promise((resolve) => {
    let began = 0;
    let frames = 0;
    const tick = (now) => {
      began ||= now;
      if (now - began >= seconds * 1000) return resolve((frames * 1000) / (now - began));
      frames += 1;
      step(now - began);
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });

window.scrollSmoothly = (seconds) => {
  const scroller = window.subject.scroller();
  scroller.scrollTop = 0;
  return window.framesWhile(seconds, () => (scroller.scrollTop += 40));
};

window.jump = (seconds) => {
  const scroller = window.subject.scroller();
  const end = scroller.scrollHeight - scroller.clientHeight;
  let place = 1;
  return window.framesWhile(seconds, () => {
    place = (place * 48_271) % 2_147_483_647; // Park and Miller's generator: the same jumps for all
    scroller.scrollTop = (place / 2_147_483_647) * end;
  });
};

window.takeChanges = async (seconds, perSecond) => {
  window.subject.scroller().scrollTop = 0;
  await new Promise((resolve) => setTimeout(resolve, 300));
  let told = 0;
  return window.framesWhile(seconds, (elapsed) => {
    const edits = [];
    for (; told < (elapsed * perSecond) / 1000; told += 1) {
      edits.push([1 + ((told * 7) % 20), 1 + ((told * 3) % 6), String(told)]);
    }
    if (edits.length > 0) window.subject.change(edits);
  });
};
