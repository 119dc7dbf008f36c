/** Runs the hub: configuration, log, start screen, signals. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Logger } from "pino";
import { type Config, ConfigExit, readConfig } from "./config.ts";
import { createHub } from "./createHub.ts";
import { isLoopback } from "./hub/caller/origin.ts";
import type { MountedHub } from "./mountedHub.ts";
import { optionsFrom } from "./optionsFromConfig.ts";
import { isEverywhere, startLine, startScreen } from "./startScreen.ts";
import { logToStderr, type StderrLog } from "./stderrLog.ts";

/** After this a shutdown that hangs is given up, so that a supervisor never has to kill. */
const SHUTDOWN_MS = 4_500;
/** How often to look whether npm's shell is still there. */
const SHELL_MS = 500;

async function main(): Promise<void> {
  const config = readConfig(process.env, process.argv.slice(2));
  process.stdout.on("error", () => {}); // whoever was to read where the hub listens may be gone
  const log = logToStderr(process.stderr, config.logLevel);
  const isNew = !existsSync(config.db);
  const { hub, address } = await start(config, log.logger);
  endWithParent();
  endOnSignals(hub, log);
  process.stdout.write(config.json ? startLine(config, address, process.pid) : startScreen(config, address, isNew));
  log.logger.info({ ...address, db: resolve(config.db) }, "listening");
}

/** @returns the hub, and where it listens. */
async function start(config: Config, logger: Logger) {
  const hub = await createHub({ ...optionsFrom(config), logger });
  try {
    const address = await hub.listen(config);
    if (!config.open) assertOwn(address.host);
    return { hub, address };
  } catch (error) {
    await hub.close();
    throw error;
  }
}

/** @throws ConfigExit for an address at which whoever calls counts as another machine. */
function assertOwn(host: string): void {
  if (isLoopback(host) || isEverywhere(host)) return;
  throw new ConfigExit(`nobody would be let in at ${host}: let other machines in with --open, or leave --host out`, 2);
}

/** When `coord hub` or `npm start` is gone, so is the hub. */
function endWithParent(): void {
  process.on("disconnect", endSelf);
  if (isRunByNpm(process.env)) endWithShell();
}

const endSelf = () => process.kill(process.pid, "SIGTERM");

const isRunByNpm = ({ npm_package_name: project, npm_lifecycle_event: script }: NodeJS.ProcessEnv) =>
  project === "coordination-hub" && (script === "start" || script === "api");

/** npm passes a signal to the shell that runs us, which dies of it and tells nobody. When npm is killed, the shell stays. */
function endWithShell(): void {
  const shell = process.ppid;
  const npm = parentOf(shell);
  setInterval(() => (process.ppid !== shell || parentOf(shell) !== npm) && endSelf(), SHELL_MS).unref();
}

/** @returns the number of a process's parent, where the system has a file that says so. */
function parentOf(pid: number): string | undefined {
  try {
    const [, parent] = /\) \S (\d+) [^)]*$/.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return parent;
  } catch {
    return undefined;
  }
}

function endOnSignals(hub: MountedHub, log: StderrLog): void {
  let isClosing = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (isClosing) return; // the first signal is being obeyed
      isClosing = true;
      void shutDown(hub, log, signal);
    });
  }
}

async function shutDown(hub: MountedHub, log: StderrLog, signal: string): Promise<void> {
  const { logger } = log;
  const exit = (code: number) => log.flush().finally(() => process.exit(code));
  logger.info({ signal }, "closing");
  setTimeout(() => {
    logger.error("closing took too long");
    void exit(1);
  }, SHUTDOWN_MS).unref();
  try {
    await hub.close();
    await exit(0);
  } catch (err) {
    logger.error({ err }, "closing failed");
    await exit(1);
  }
}

/** What ended it: for a person, or as `coord` tells its errors to programs. */
function complaint(error: string, exitCode: number): string {
  if (!process.argv.includes("--json")) return `coordination-hub: ${error}`;
  return JSON.stringify({ error, code: exitCode === 2 ? "usage" : "failed" });
}

main().catch((error: unknown) => {
  const text = error instanceof Error ? error.message : String(error);
  const exitCode = error instanceof ConfigExit ? error.exitCode : 1;
  process.exitCode = exitCode;
  if (exitCode === 0) process.stdout.write(`${text}\n`);
  else process.stderr.write(`${complaint(text, exitCode)}\n`);
});
