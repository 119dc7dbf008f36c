/** A server under measurement: started on a free port in its own folder, ready before it is used. */
import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { lastWords, type StartOptions, type Workplace } from "../os/workplace.ts";

export interface Server {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  /** Where its data is. */
  readonly folder: string;
  stop(): Promise<void>;
}

export type Start = (workplace: Workplace) => Promise<Server>;

export interface Launch extends StartOptions {
  command: string;
  args: string[];
  port: number;
  folder: string;
  isReady: () => Promise<boolean>;
}

const READY_MS = 30_000;
const PROBE_MS = 20;

/** @throws Error with the server's last words when it ends, or is not ready in time. */
export async function launch(workplace: Workplace, spec: Launch): Promise<Server> {
  const { child, logFile } = workplace.start(spec.command, spec.args, spec);
  const server = {
    child,
    pid: child.pid ?? 0,
    port: spec.port,
    folder: spec.folder,
    stop: () => workplace.stop(child),
  };
  const deadline = performance.now() + READY_MS;
  while (!(await spec.isReady())) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await server.stop();
      throw new Error(`${spec.command} ${spec.args.join(" ")} did not start:\n${lastWords(logFile)}`);
    }
    await sleep(PROBE_MS);
  }
  return server;
}
