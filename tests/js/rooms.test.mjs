import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const ROOT = new URL("../../cells/static/cells/", import.meta.url);
const files = readdirSync(ROOT, { recursive: true }).filter((name) => name.endsWith(".js"));

/** @type {Record<string, string[]>} which rooms a room may know */
const KNOWS = { domain: ["domain"], sync: ["sync", "domain"], ui: ["ui", "domain"], "": ["sync", "ui", "domain"] };

function roomOf(name) {
  return name.includes("/") ? name.slice(0, name.indexOf("/")) : "";
}

for (const name of files) {
  const source = readFileSync(new URL(name, ROOT), "utf8");

  test(`${name} imports only from rooms below, by paths that hashed static files can follow`, () => {
    for (const [line, path, end] of source.matchAll(/^import [^;]*? from "([^"]*)"(.?)$/gm)) {
      assert.match(path, /^\.\.?\/.*\.js$/, line);
      assert.equal(end, ";", line);
      const target = new URL(path, new URL(name, ROOT)).pathname.slice(ROOT.pathname.length);
      assert.ok(files.includes(target), line);
      assert.ok(KNOWS[roomOf(name)].includes(roomOf(target)), line);
    }
  });

  test(`${name} writes text as text and nothing inline`, () => {
    assert.doesNotMatch(source, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\("style"/);
  });
}
