/** Runs the hub: configuration, log, start screen, signals. */
import { resolve } from "node:path";
import { pino } from "pino";
import { PinoPretty as pretty } from "pino-pretty";
import { BASE_PATH } from "../shared/operations.ts";
import { type Config, ConfigExit, readConfig } from "./config.ts";
import { createHub, type MountedHub } from "./createHub.ts";

/** After this a shutdown that hangs is given up, so that a supervisor never has to kill. */
const SHUTDOWN_MS = 4_500;
/** How often to look whether npm's shell is still there. */
const SHELL_MS = 500;

async function main(): Promise<void> {
  const config = readConfig(process.env, process.argv.slice(2));
  const logger = makeLogger(config.logLevel);
  const { db, open, allowHost: allowHosts, pingMs, offlineAfterMs: leaveMs } = config;
  const liveness = { pingMs, leaveMs };
  const limits = { bounds: boundsOf(config), rates: ratesOf(config), retention: retentionOf(config) };
  const hub = await createHub({ db, open, allowHosts, logger, lease: leaseOf(config), liveness, ...limits });
  const { host, port } = await hub.listen(config).catch(async (error) => {
    await hub.close();
    throw error;
  });
  let isClosing = false;
  process.on("disconnect", endSelf); // `coord hub` is gone: so is the hub
  if (isRunByNpm(process.env)) endWithShell();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (isClosing) return; // the first signal is being obeyed
      isClosing = true;
      void shutDown(hub, signal);
    });
  }
  process.stdout.write(startScreen(config, host, port));
  logger.info({ host, port, db: resolve(config.db) }, "listening");
  function shutDown(open: MountedHub, signal: string): Promise<void> {
    logger.info({ signal }, "closing");
    setTimeout(() => {
      logger.error("closing took too long");
      process.exit(1);
    }, SHUTDOWN_MS).unref();
    return open.close().then(
      () => process.exit(0),
      (error) => {
        logger.error({ err: error }, "closing failed");
        process.exit(1);
      },
    );
  }
}

const endSelf = () => process.kill(process.pid, "SIGTERM");

const isRunByNpm = ({ npm_package_name: project, npm_lifecycle_event: script }: NodeJS.ProcessEnv) =>
  project === "coordination-hub" && (script === "start" || script === "api");

/** npm passes a signal to the shell that runs us, which dies of it and tells nobody. */
function endWithShell(): void {
  const shell = process.ppid;
  setInterval(() => process.ppid !== shell && endSelf(), SHELL_MS).unref();
}

function leaseOf(config: Config) {
  const { leaseGraceMs: graceMs, detachedLeaseMs: detachedMs, backoffMs, backoffMaxMs, maxAttempts } = config;
  return { graceMs, detachedMs, backoffMs, backoffMaxMs, maxAttempts };
}

const retentionOf = ({ keepComplete, keepFailed, keepLog, maxSize }: Config) => ({
  completeMs: keepComplete,
  failedMs: keepFailed,
  logMs: keepLog,
  maxBytes: maxSize,
});

const boundsOf = ({ pendingPerRecipient, pendingPerSender, chainHops }: Config) => ({
  pending_per_recipient: pendingPerRecipient,
  pending_per_sender: pendingPerSender,
  chain_hops: chainHops,
});

const ratesOf = ({ rate: changes, readRate: reads, rateLocal: limitsLocal }: Config) => ({
  changes,
  reads,
  limitsLocal,
});

/** One JSON line a fact; for a person at a terminal, readable. */
const makeLogger = (level: string) =>
  pino(
    { level },
    process.stderr.isTTY ? pretty({ destination: 2, sync: true }) : pino.destination({ dest: 2, sync: true }),
  );

/** Where it listens, where the data is, and what to try next. */
function startScreen({ db, open, allowHost }: Config, host: string, port: number): string {
  const isEverywhere = host === "0.0.0.0" || host === "::";
  const name = isEverywhere ? (allowHost[0] ?? "127.0.0.1") : host.includes(":") ? `[${host}]` : host;
  const url = `http://${name}:${port}${BASE_PATH}`;
  const elsewhere = port === 3000 && name !== allowHost[0] ? "" : `COORDINATION_API_URL=${url} `;
  return [
    "",
    "  coordination-hub",
    "",
    `  listening   ${url}`,
    `  data        ${resolve(db)}`,
    ...(open ? ["", "  OPEN: anyone who reaches this address can read and change everything."] : []),
    ...(isEverywhere && !open ? ["", "  Only this machine is let in: --open lets others in, too."] : []),
    "",
    "  Try it in two other terminals:",
    `    ${elsewhere}npx coord watch --as server_backend`,
    `    ${elsewhere}npx coord chat server_backend "hello" --as windows_frontend`,
    "",
    "",
  ].join("\n");
}

main().catch((error: unknown) => {
  const told = error instanceof ConfigExit && error.exitCode === 0;
  const text = error instanceof Error ? error.message : String(error);
  (told ? process.stdout : process.stderr).write(told ? `${text}\n` : `coordination-hub: ${text}\n`);
  process.exitCode = error instanceof ConfigExit ? error.exitCode : 1;
});
