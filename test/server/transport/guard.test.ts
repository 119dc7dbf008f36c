/** Who may talk to a hub without tokens: its own machine, under its own name, and no page of a stranger. */
import { beforeAll, describe, expect, test } from "vitest";
import { type CreateHubOptions, createHub } from "../../../server/index.ts";
import { defer } from "../../support/defer.ts";
import { elsewhere } from "../../support/elsewhere.ts";
import { startHub } from "../../support/hub.ts";
import { RawSocket } from "../../support/rawSocket.ts";
import { requiresThat } from "../../support/requires.ts";
import { tempDir } from "../../support/tempDir.ts";
import { ask, get, type RawAnswer, upgrade } from "./raw.ts";

/** The doors, and what stands behind each when it opens. */
const DOORS: Record<string, { head: (...headers: string[]) => string[]; open: number }> = {
  HTTP: { head: (...headers) => get("/api/coord/stats", ...headers), open: 200 },
  probes: { head: (...headers) => get("/metrics", ...headers), open: 200 },
  upgrade: { head: (...headers) => upgrade(undefined, ...headers), open: 101 },
};

/** A hub that listens on every address. */
async function listenWidely(options: CreateHubOptions = {}): Promise<number> {
  const hub = await createHub({ db: `${tempDir()}/hub.db`, ...options });
  defer(() => hub.close());
  return (await hub.listen({ host: "0.0.0.0", port: 0 })).port;
}

const LOCAL = ["localhost", "LocalHost", "127.0.0.1", "127.1.2.3", "[::1]"];

const STRANGE = [
  "evil.com",
  "localhost.evil.com",
  "evil-localhost",
  "127.0.0.1.nip.io",
  "localhost.", // the root's dot makes it another name
  "localhost@evil.com",
  "user:pass@localhost",
  "0.0.0.0",
  "[::]",
  "[::ffff:8.8.8.8]",
  "192.168.10.56",
  "2130706433",
  "0x7f.0.0.1",
  "[::1",
  "localhost:",
  "localhost:x",
  "localhost:999999",
  "",
  " ",
  "lo\u00e7alhost",
];

describe.each(Object.entries(DOORS))("%s", (_, { head, open }) => {
  let port: number;
  beforeAll(async () => {
    port = (await startHub()).port;
  });

  const at = (host: string, ...headers: string[]) => ask(port, head(`Host: ${host}`, ...headers));
  const expectForbidden = ({ status, body }: RawAnswer, code: string, what: string) =>
    expect([what, status, body.success, body.code]).toEqual([what, 403, false, code]);

  test("is open to the machine's own names, with a port or without", async () => {
    for (const host of LOCAL) {
      for (const name of [host, `${host}:${port}`, `${host}:1`])
        expect([name, (await at(name)).status]).toEqual([name, open]);
    }
  });

  test("is shut to every other name, so that none can be bound to it anew", async () => {
    for (const host of STRANGE) expectForbidden(await at(host), "forbidden_host", host);
    for (const host of STRANGE.slice(0, 4)) expectForbidden(await at(`${host}:${port}`), "forbidden_host", host);
  });

  test("says under which name it was not known, and how that is changed", async () => {
    const { body } = await at("hub.example:3000");
    expect(body.error).toBe("This hub is not known as hub.example: allow it with --allow-host");
  });

  test("looks at the first of two names", async () => {
    const answer = await ask(port, head("Host: evil.com", "Host: localhost"));
    expect([400, 403]).toContain(answer.status);
  });

  test("does not believe what a proxy may say", async () => {
    for (const header of ["X-Forwarded-Host: localhost", "Forwarded: host=localhost", "X-Forwarded-For: 127.0.0.1"]) {
      expectForbidden(await at("evil.com", header), "forbidden_host", header);
    }
  });

  test("is open to programs, which have no origin, and to pages of its own", async () => {
    const own = `localhost:${port}`;
    expect((await at(own)).status).toBe(open);
    expect((await at(own, `Origin: http://${own}`)).status).toBe(open);
    expect((await at("hub.local", `Origin: http://hub.local`)).status).toBe(403); // its own, but not known
  });

  test("is shut to pages of strangers, near misses included", async () => {
    const own = `localhost:${port}`;
    const origins = [
      "null",
      "http://evil.com",
      `http://evil.com:${port}`,
      `http://localhost.evil.com:${port}`,
      `http://evil-localhost:${port}`,
      `http://127.0.0.1:${port}`, // another origin than localhost, though the same machine
      `http://localhost:${port + 1}`,
      "http://localhost",
      `http://LOCALHOST:${port}x`,
      `http://${own}.`,
      `http://${own}/`,
      `http://user@${own}`,
      `ws://${own}`,
      `file://${own}`,
      `chrome-extension://${own}`,
      own,
      "",
    ];
    for (const origin of origins) expectForbidden(await at(own, `Origin: ${origin}`), "forbidden_origin", origin);
  });
});

describe("a hub that listens widely", () => {
  requiresThat(elsewhere !== undefined, "needs an address that is not loopback");

  test.each(Object.entries(DOORS))(
    "lets nobody in over %s from another machine, whatever name it uses",
    async (_, door) => {
      const port = await listenWidely();
      for (const host of ["localhost", elsewhere, "evil.com"]) {
        const { status, body } = await ask(port, door.head(`Host: ${host}`), "", elsewhere);
        expect([status, body.code]).toEqual([403, "tokens_required"]);
        expect(body.error).toContain("--open");
      }
      expect((await ask(port, door.head("Host: localhost"))).status).toBe(door.open);
    },
  );

  test.each(Object.entries(DOORS))("and open lets them in over %s, by address or allowed name", async (_, door) => {
    const port = await listenWidely({ open: true, allowHosts: ["Api-Server", "hub.example"] });
    const at = async (host: string, ...headers: string[]) =>
      (await ask(port, door.head(`Host: ${host}`, ...headers), "", elsewhere)).status;
    for (const host of [`${elsewhere}:${port}`, "192.168.10.56:3000", "api-server:3000", "HUB.example", "localhost"]) {
      expect([host, await at(host)]).toEqual([host, door.open]);
    }
    for (const host of ["evil.com", "xhub.example", "hub.example.evil.com"])
      expect([host, await at(host)]).toEqual([host, 403]);
    expect(await at("hub.example", "Origin: http://hub.example")).toBe(door.open);
    expect(await at("hub.example", "Origin: http://evil.com")).toBe(403);
  });

  test("allows names to its own machine without being open to others", async () => {
    const port = await listenWidely({ allowHosts: ["hub.example"] });
    const head = get("/api/coord/stats", "Host: hub.example");
    expect((await ask(port, head)).status).toBe(200);
    expect((await ask(port, head, "", elsewhere)).body.code).toBe("tokens_required");
  });
});

test("nothing is done for those who are not let in", async () => {
  const hub = await startHub();
  const body = JSON.stringify({ from_claude: "a", to_claude: "b", task: "t" });
  const post = ["POST /api/coord/message HTTP/1.1", "Connection: close", "Content-Type: application/json"];
  const length = `Content-Length: ${body.length}`;
  expect((await ask(hub.port, [...post, length, "Host: evil.com"], body)).status).toBe(403);
  expect((await ask(hub.port, [...post, length, "Host: localhost", "Origin: http://evil.com"], body)).status).toBe(403);
  const socket = await RawSocket.greet(hub.wsUrl);
  expect(await socket.call("stats", {})).toMatchObject({ total: 0 });
  await expect(RawSocket.open(hub.wsUrl, { headers: { origin: "http://evil.com" } })).rejects.toThrow("403");
});
