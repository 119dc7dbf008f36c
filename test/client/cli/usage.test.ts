import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import type { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../../client/cli/commands/table.ts";
import { Rest } from "../../../client/cli/connection/rest.ts";
import { errorReport } from "../../../client/cli/output/errorReport.ts";
import { EXIT_CODES } from "../../../client/cli/process/exitCodes.ts";
import { connect, HubUnreachable } from "../../../client/sdk/index.ts";
import { defer } from "../../support/defer.ts";
import { startHub } from "../../support/hub.ts";
import { freePort } from "../../support/ports.ts";
import { CoordProcess, run, runInside } from "./coord.ts";

describe("a wrong command line ends with 2, says what is wrong, and where help is", () => {
  it.each([
    { args: ["help", "sned"], says: "unknown command 'sned' (did you mean \"send\"?)", help: "coord --help" },
    {
      args: ["send", "--as", "ada", "--after", "1", "bob", "x"],
      says: "missing required argument 'to': --after takes all that follows, and goes last",
      help: "coord send --help",
    },
    { args: ["sned", "bob", "x"], says: "unknown command 'sned' (Did you mean send?)", help: "coord --help" },
    { args: ["send", "bob", "x", "--priorty", "low"], says: "unknown option '--priorty' (Did you mean --priority?)" },
    { args: ["send", "bob", "x", "--jsn"], says: "unknown option '--jsn' (Did you mean --json?)" },
    { args: ["send", "bob", "x", "--priority", "hihg"], says: "Allowed choices are low, normal, high, urgent." },
    { args: ["send", "bob"], says: "missing required argument 'task'" },
    { args: ["send", "bob", "hi", "there"], says: "Expected 2 arguments but got 3: put the text in quotes" },
    { args: ["complete", "x", "all", "green"], says: "Expected 2 arguments but got 3: put the text in quotes" },
    { args: ["get", "x", "y"], says: "Expected 1 argument but got 2.\n" },
    { args: ["work", "sh", "-c", "cat"], says: "unknown option '-c': put -- before the command" },
    { args: ["work", "--concurency", "2", "cat"], says: "'--concurency' (Did you mean --concurrency?)\n" },
    { args: ["work", "--loud", "--", "cat"], says: "unknown option '--loud'\n" },
    {
      args: ["send", "bob", "x", "--wait", "foo"],
      says: "--wait takes stored, delivered, seen, claimed, end or nothing, and not 'foo'",
    },
    {
      args: ["send", "b b", "x"],
      says: "<to> must be 1 to 128 of the characters A-Z a-z 0-9 _ . : -, or @ and a role, or * for everyone",
    },
    { args: ["send", "bob", "x", "--max-attempts", "0"], says: "--max-attempts must be at least 1" },
    { args: ["send", "bob", "x", "--max-attempts", "two"], says: "It must be a whole number." },
    {
      args: ["send", "bob", "x", "--timeout", "soon"],
      says: "It must be a duration: 30 (seconds), 500ms, 10m, 2h, 1d.",
    },
    { args: ["send", "bob", "x", "--not-before", "noon"], says: "T12:00:00Z, or a duration from now: 8h" },
    { args: ["extend", "x", "--lease", "2d"], says: "--lease must be at most 1d" },
    { args: ["send", "bob", "x".repeat(70_000)], says: "<task> is longer than 65536 bytes of JSON-encoded text" },
    { args: ["chat", "bob", "- milk"], says: "put -- before a text that begins with a dash" },
    {
      args: ["send", "bob", "-x hello"],
      says: "unknown option '-x hello': put -- before a text that begins with a dash",
    },
    { args: ["fail", "x", "-v"], says: "unknown option '-v': put -- before a text that begins with a dash" },
    { args: ["send", "bob", "--wait a day"], says: ": put -- before a text that begins with a dash" },
    {
      args: ["work", "--as", "ada", "--verbose", "cmd", "--foo"],
      says: "unknown option '--foo' (Did you mean --for?); if it belongs to the command, put -- before that",
    },
    { args: ["work", "--for", "b b", "--", "cat"], says: "--for must be 1 to 128 of the characters" },
    { args: ["demo", "--agents", "1"], says: "--agents must be from 2 to 16" },
  ])("$says", async ({ args, says, help = `coord ${args[0]} --help` }) => {
    const { code, stdout, stderr } = await runInside(args, { as: "ada" });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(says);
    expect(stderr.split("\n").at(-2)).toBe(`see \`${help}\``);
  });

  it("in a process of its own, too, and as JSON for programs", async () => {
    const [forPeople, forPrograms] = await Promise.all([run(["inbox"]), run(["inbox", "--json"])]);
    expect(forPeople).toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: who is calling\?.*\nsee `/) });
    expect(forPrograms).toMatchObject({ code: 2, stdout: "" });
    expect((await runInside(["seen", "x"])).stderr).toBe(forPeople.stderr.replace("inbox", "seen"));
    expect(JSON.parse(forPrograms.stderr)).toEqual({
      error: "who is calling? say --as NAME, or set CLAUDE_ID",
      code: "usage",
    });
  });

  it("names the setting whose value cannot be", async () => {
    for (const args of [["inbox"], ["who", "bob"], ["stats"]]) {
      const [said, set] = await Promise.all([runInside([...args, "--as", "a b"]), runInside(args, { as: "a b" })]);
      expect(said.stderr).toMatch(/^error: --as must be 1 to 128 of the characters/);
      expect(set.stderr).toMatch(/^error: CLAUDE_ID must be 1 to 128 of the characters/);
    }
    expect((await runInside(["stats"], { url: "ftp://x" })).stderr).toContain(
      "url must begin with http:// or https://",
    );
  });

  it("stdin that is no text is refused, not changed", async () => {
    const { url } = await startHub();
    const { code, stderr } = await runInside(["send", "bob", "-"], {
      url,
      as: "ada",
      input: Buffer.from([0xff, 0xfe]),
    });
    expect([code, stderr]).toEqual([2, expect.stringContaining("stdin is not text in UTF-8")]);
    expect((await runInside(["stats", "--json"], { url })).json.total).toBe(0);
  });
});

it("a signal ends a command while it reads stdin", async () => {
  const input = Buffer.alloc(4 * 1024 * 1024);
  const sending = new CoordProcess(["send", "bob", "-"], { as: "ada", input, goesOn: true });
  await once(sending.child.stdin as Writable, "drain"); // it reads: no pipe holds so much
  expect([await sending.end("SIGTERM"), sending.stderr]).toEqual([143, ""]);
});

describe("where no hub answers", () => {
  it("every command ends with 3 and says how to start one", async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/api/coord`;
    const says = `no hub answers at ${url}: start one with \`coord hub --port ${port}\``;
    for (const args of [["stats"], ["watch"], ["wait"], ["next", "--wait", "5"], ["send", "bob", "x", "--wait"]]) {
      const { code, stdout, stderr } = await runInside(args, { url, as: "ada" });
      expect([args, code, stdout, stderr]).toEqual([args, 3, "", `error: ${says}\n`]);
    }
    const { stderr } = await runInside(["stats", "--json"], { url });
    expect(JSON.parse(stderr)).toEqual({ error: says, code: "hub_unreachable" });
  });

  it("because there is no such host, it says so", async () => {
    const host = "x".repeat(64); // too long for a name, which the system knows without asking
    const url = `http://${host}:3000/api/coord`;
    const says = `no hub answers at ${url}: the host ${host} cannot be found: check its name`;
    const { code, stderr } = await runInside(["stats"], { url });
    expect([code, stderr]).toEqual([3, `error: ${says} (getaddrinfo ENOTFOUND ${host})\n`]);
    await expect(connect({ url, timeout_ms: 500 })).rejects.toThrow(says);
  });

  it("but something takes connections and closes them, it says so at once", async () => {
    const server = createTcpServer((socket) => socket.resume().end()).listen(0, "127.0.0.1");
    defer(() => void server.close());
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/coord`;
    const { code, stderr } = await run(["stats"], { url });
    expect([code, stderr]).toEqual([3, expect.stringContaining(`no hub answers at ${url}`)]);
  });

  it("but something takes connections and never answers, it says so after a while", async () => {
    const sockets = new Set<Socket>();
    const server = createTcpServer((socket) => sockets.add(socket)).listen(0, "127.0.0.1");
    defer(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/coord`;
    const rest = new Rest({ url, interrupted: new AbortController().signal, answerMs: 20 });
    const silence = `the hub at ${url} did not answer within 0.02 s`;
    await expect(rest.call("stats", {})).rejects.toMatchObject({ code: "call_timeout", message: silence });
    const doubt = `${silence}; what was asked for may have been done: look before you repeat it`;
    await expect(rest.call("delete", { id: "x" })).rejects.toMatchObject({ message: doubt });
  });

  it.each([
    [404, "/api/cord"],
    [200, "/api/coord"],
  ])("and something else does (%i), it says so", async (status, path) => {
    const server = createServer((_, response) => response.writeHead(status).end("<html>")).listen(0, "127.0.0.1");
    defer(() => server.close().closeAllConnections());
    await new Promise((listening) => server.once("listening", listening));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
    const says = `no hub answers at ${url}: this address does not lead to a hub, whose address ends in /api/coord`;
    const { code, stderr } = await runInside(["stats"], { url });
    expect([code, stderr]).toEqual([3, `error: ${says} (the answer was not JSON (HTTP status ${status}))\n`]);
    await expect(connect({ url, timeout_ms: 500 })).rejects.toThrow(says);
  });
});

it.each([
  ["a word", "the connection broke"],
  ["an error", new TypeError("fetch failed", { cause: new Error("the connection broke") })],
])("what ended a line is told, where that is %s", (_, cause) => {
  const url = "http://127.0.0.1:3000/api/coord";
  const error = `no hub answers at ${url}: start one with \`coord hub\` (the connection broke)`;
  expect(errorReport(new HubUnreachable(url, cause))).toEqual({ error, code: "hub_unreachable" });
});

describe("help", () => {
  it("has an example of every command and explains each input", async () => {
    for (const { name, inputs, examples, summary, passesThrough } of COMMANDS) {
      const { code, stdout } = await runInside(passesThrough ? ["help", name] : [name, "--help"]);
      expect(code).toBe(0);
      for (const part of [summary, "Examples:", ...examples.map(([line]) => `coord ${line}`)])
        expect(stdout).toContain(part);
      for (const { usage, help } of Object.values(inputs)) {
        expect(help, `${name} ${usage}`).toMatch(/^[A-Za-z].*\.$/);
        expect(stdout).toContain(usage.replace(/^[<[](\w+).*$/, "$1"));
      }
    }
  });

  it("shows every command and every exit code, and where it is asked for nothing ends with 2", async () => {
    const { code, stdout } = await runInside(["--help"]);
    expect(code).toBe(0);
    for (const { name } of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, "m"));
    for (const row of Object.values(EXIT_CODES))
      expect(stdout).toMatch(new RegExp(`^ {2}${row.code} +${row.meaning}$`, "m"));
    const bare = await runInside([]);
    expect([bare.code, bare.stdout, bare.stderr]).toEqual([2, "", stdout]);
  });
});
