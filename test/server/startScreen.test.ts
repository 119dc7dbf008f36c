/** What a person, or a program, is shown of a hub's address works. */
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { startLine, startScreen } from "../../server/startScreen.ts";

const CLOSED = { db: "hub.db", open: false, allowHost: ["my-server"] };
const OPEN = { ...CLOSED, open: true };
const ONLY_HERE = "Only this machine is let in";

test.each([
  [CLOSED, "127.0.0.1", "127.0.0.1", true],
  [CLOSED, "::1", "[::1]", true],
  [CLOSED, "127.0.0.2", "127.0.0.2", false],
  [CLOSED, "0.0.0.0", "127.0.0.1", true], // another name may lead to an address at which nobody is let in
  [CLOSED, "::", "127.0.0.1", true],
  [OPEN, "0.0.0.0", "my-server", false],
  [{ ...OPEN, allowHost: [] }, "0.0.0.0", "127.0.0.1", true],
  [OPEN, "192.0.2.2", "192.0.2.2", false],
])("%o on %s is at %s", (config, host, name, isDefault) => {
  const url = `http://${name}:3000/api/coord`;
  const screen = startScreen(config, { host, port: 3000 }, false);
  expect(screen).toContain(`listening   ${url}\n`);
  expect(screen).toContain(`    ${isDefault ? "" : `COORDINATION_API_URL=${url} `}npx coord watch`);
  expect(screen.includes(ONLY_HERE)).toBe(!config.open && ["0.0.0.0", "::"].includes(host));
  expect(JSON.parse(startLine(config, { host, port: 3000 }, 7))).toMatchObject({ url, pid: 7 });
});

test("at the default address the commands to try need nothing before them", () => {
  expect(startScreen(CLOSED, { host: "127.0.0.1", port: 3000 }, false)).toBe(`
  coordination-hub

  listening   http://127.0.0.1:3000/api/coord
  data        ${resolve("hub.db")}

  Try it in two other terminals:
    npx coord watch --as server_backend
    npx coord chat server_backend "hello" --as windows_frontend

`);
});
