// EtherCalc as it comes from npm, without Redis: it then keeps its sheets in files, here in a temporary folder.
//   node ethercalc.mjs PORT
// With REDIS_HOST and REDIS_PORT in the environment it keeps them in Redis.
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(new URL("ethercalc/package.json", import.meta.url));
const application = require.resolve("ethercalc/app.js");

// It looks for SocialCalc below its own folder, where npm of 2014 would have put it.
const own = join(application, "..", "node_modules");
if (!existsSync(join(own, "socialcalc"))) {
  mkdirSync(own, { recursive: true });
  symlinkSync("../../socialcalc", join(own, "socialcalc"));
}

process.env.OPENSHIFT_DATA_DIR ??= mkdtempSync(join(tmpdir(), "ethercalc-"));
process.env.REDIS_PORT ??= "1"; // nobody's: a Redis that happens to be there must not be found
process.on("exit", () => rmSync(process.env.OPENSHIFT_DATA_DIR, { recursive: true, force: true }));
process.on("SIGTERM", () => process.exit());

process.argv = [process.argv[0], application, "--port", process.argv[2], "--host", "127.0.0.1"];
require("ethercalc/app.js");
