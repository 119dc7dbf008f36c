/** A hub that cannot start says why in one line, with an exit code, and has changed nothing. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { readConfig } from "../../server/config.ts";
import { BetterSqlite } from "../../server/store/sqlite/betterSqlite.ts";
import { defer } from "../support/defer.ts";
import { elsewhere } from "../support/elsewhere.ts";
import { http } from "../support/http.ts";
import { startHub } from "../support/hub.ts";
import { HubProcess, type ProcessOptions } from "../support/processes.ts";
import { repository } from "../support/repository.ts";
import { requires, requiresThat } from "../support/requires.ts";
import { tempDir } from "../support/tempDir.ts";
import { DATABASE_THREAD, plant } from "./support/plant.ts";

/** Starts a hub that must refuse. @returns what it said, without the name in front. */
async function refusal(options: ProcessOptions, code = 1): Promise<string> {
  const hub = await HubProcess.launch(options);
  expect(await hub.exited, hub.output).toEqual({ code, signal: null });
  expect(hub.output).toMatch(/^coordination-hub: [^\n]+\n$/); // one line: no stack, no log, no start screen
  return hub.output.slice("coordination-hub: ".length, -1);
}

/** What a hub answers to whoever sends a message. */
const sends = async ({ url }: { url: string }) => {
  const body = { from_claude: "a", to_claude: "b", task: "kept" };
  return (await http(`${url}/message`, { method: "POST", body })).status;
};

/** A database that a hub has written and closed. */
async function writtenDatabase(): Promise<string> {
  const hub = await startHub();
  await sends(hub);
  await hub.close();
  return hub.db;
}

describe("configuration", () => {
  test("an unknown flag, with the nearest name", async () => {
    expect(await refusal({ args: ["--prt", "1"] }, 2)).toBe("unknown option '--prt' (Did you mean --port?)");
  });

  test("a mistyped variable, with the nearest name", async () => {
    const said = await refusal({ env: { COORDINATION_PROT: "1" } }, 2);
    expect(said).toBe("unknown variable COORDINATION_PROT: did you mean COORDINATION_PORT?");
  });

  test.each([
    [["--port", "99999"], /^--port .*"99999".*65535$/],
    [["--lease-grace-ms", "-1"], /^--lease-grace-ms .*"-1".*$/],
    [["--log-level", "loud"], /^--log-level .*"loud".*"silent".*$/],
  ])("%j, with the flag and the value", (args, said) => {
    const refused = expect.objectContaining({ exitCode: 2, message: expect.stringMatching(said) });
    expect(() => readConfig({}, args)).toThrow(refused);
  });
});

test("a port in use: the database is closed again, and can be used at once", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  defer(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const db = join(tempDir(), "hub.db");
  expect(await refusal({ db, port })).toMatch(new RegExp(`port ${port} on 127.0.0.1 is in use: .*--port`));
  await startHub({ db });
});

describe("an address at which nobody would be let in", () => {
  requiresThat(elsewhere !== undefined, "needs an address that is not loopback");

  test("is refused unless the hub is open", async () => {
    const said = `nobody would be let in at ${elsewhere}: let other machines in with --open, or leave --host out`;
    expect(await refusal({ args: ["--host", `${elsewhere}`] }, 2)).toBe(said);
  });
});

describe("a database", () => {
  test("that is another kind of file stays byte for byte", async () => {
    const db = join(tempDir(), "notes.txt");
    writeFileSync(db, "not a database, but longer than the header of one would be: ".repeat(4));
    const before = readFileSync(db);
    expect(await refusal({ db })).toBe(`${db} is not an SQLite database: name another file with --db`);
    expect(readFileSync(db)).toEqual(before);
  });

  test("that is damaged stays byte for byte", async () => {
    const db = await writtenDatabase();
    const bytes = readFileSync(db);
    bytes.fill(0xff, 100, 4096); // the schema, behind a header that is whole
    writeFileSync(db, bytes);
    expect(await refusal({ db })).toMatch(/hub\.db is damaged .*restore a backup/);
    expect(readFileSync(db)).toEqual(bytes);
  });

  test("of a newer schema stays as it is", async () => {
    const db = await writtenDatabase();
    const newer = new BetterSqlite(db);
    newer.exec("UPDATE coordination_meta SET value = '999' WHERE name = 'schema'");
    newer.close();
    const before = readFileSync(db);
    expect(await refusal({ db })).toMatch(/schema 999, this hub knows \d+: start the newer hub/);
    expect(readFileSync(db).equals(before)).toBe(true);
  });

  test("that is a folder", async () => {
    const db = join(tempDir(), "folder");
    mkdirSync(db);
    expect(await refusal({ db })).toMatch(/folder(\.hub-lock)? cannot be opened and written/);
  });

  test("below a file", async () => {
    const file = join(tempDir(), "file");
    writeFileSync(file, "");
    expect(await refusal({ db: join(file, "hub.db") })).toMatch(
      /file\/hub\.db(\.hub-lock)? cannot be opened and written/,
    );
  });

  test("behind a link that leads nowhere", async () => {
    const folder = tempDir();
    symlinkSync(join(folder, "gone.db"), join(folder, "link.db"));
    expect(await refusal({ db: join(folder, "link.db") })).toMatch(/link\.db cannot be opened and written/);
    expect(existsSync(join(folder, "gone.db"))).toBe(false);
  });

  test("whose lock file is damaged: says which file it is", async () => {
    const db = await writtenDatabase();
    writeFileSync(`${db}.hub-lock`, "torn by a power cut. ".repeat(500));
    expect(await refusal({ db })).toMatch(/hub\.db\.hub-lock is /);
  });
});

describe("without the right to write", () => {
  /** As an owner whom permissions stop, also where the tests run as root: another user might not even reach the hub. */
  const under = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-dac_override"] : [];

  test("its folder", async () => {
    const folder = tempDir();
    chmodSync(folder, 0o555);
    expect(await refusal({ db: join(folder, "hub.db"), under })).toMatch(/hub\.db.* cannot be opened and written/);
  });

  test("its file", async () => {
    const db = await writtenDatabase();
    const copy = join(tempDir(), "hub.db");
    copyFileSync(db, copy);
    chmodSync(copy, 0o444);
    const before = readFileSync(copy);
    expect(await refusal({ db: copy, under })).toMatch(/hub\.db cannot be opened and written/);
    expect(readFileSync(copy).equals(before)).toBe(true);
  });
});

describe("a second hub on the same file", () => {
  test("waits for nothing before it says so and ends, and harms the first in nothing", async () => {
    const first = await startHub();
    const refused = refusal({ db: first.db });
    const another = HubProcess.start().then(() => once(spawn("sleep", ["1"]), "exit"));
    expect(await Promise.race([refused, another])).toBe(
      `another hub is using ${first.db}: stop it first, or start this one with another --db`,
    );
    await another;
    expect(await sends(first)).toBe(201);
  });

  test("also when it names the file by a link", async () => {
    const first = await startHub();
    const link = join(tempDir(), "link.db");
    symlinkSync(first.db, link);
    expect(await refusal({ db: link })).toMatch(/^another hub is using/);
  });

  test("starts as soon as the first one was killed", async () => {
    const first = await HubProcess.start();
    await first.kill();
    await startHub({ db: first.db });
  });
});

describe("a first start that was killed", () => {
  const strace = requires("strace");

  /** Kills a first start as it begins its n-th write. */
  async function killedAtWrite(n: number): Promise<string> {
    const db = join(tempDir(), "hub.db");
    const inject = ["-e", "trace=pwrite64", "-e", `inject=pwrite64:signal=SIGKILL:when=${n}`];
    const under = [strace, "-D", "-f", "-qq", "-o", "/dev/null", ...inject];
    const hub = await HubProcess.launch({ db, under });
    expect(await hub.exited).toMatchObject({ signal: "SIGKILL" });
    return db;
  }

  // the lock file, the database and its journal, the log, the schema
  test.each([5, 60])("at its write %i, can be repeated", async (n) => {
    expect(await sends(await startHub({ db: await killedAtWrite(n) }))).toBe(201);
  });
});

test("help is told on standard output, with exit code 0", async () => {
  const child = spawn(process.execPath, [`${repository}dist/bin/hub.mjs`, "--help"]);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toContain("--port");
  expect(out).toContain("COORDINATION_PORT");
});

describe("a hub that is made wrong", () => {
  test("and would acknowledge before what it wrote is on disk", async () => {
    const env = plant({
      file: DATABASE_THREAD,
      replace: [['db.pragma("synchronous = FULL")', 'db.pragma("synchronous = NORMAL")']],
    });
    expect(await refusal({ env })).toContain("SQLite does not run with synchronous=FULL (it says 1)");
  });

  test("and would take messages that fit no frame", async () => {
    const env = plant({
      file: "/bin/hub.mjs",
      replace: [["frame_bytes: 4 * 1024 * 1024", "frame_bytes: 1024 * 1024"]],
    });
    expect(await refusal({ env })).toMatch(/^limits disagree: the largest page takes \d+ bytes, a frame only 1048576$/);
  });
});
