/** The built hub as a process of its own: started, killed and started again, and never left behind. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { BASE_PATH, SOCKET_PATH } from "../../shared/protocol.ts";
import { defer } from "./defer.ts";
import { http } from "./http.ts";
import { freePort } from "./ports.ts";
import { repository } from "./repository.ts";
import { tempDir } from "./tempDir.ts";

export interface ProcessOptions {
  /** The database file; by default a new one in a folder of its own. */
  db?: string;
  /** By default a free one. */
  port?: number;
  env?: Record<string, string>;
  args?: string[];
  /** A command that runs Node, such as strace with its options. */
  under?: string[];
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const MAIN = `${repository}dist/bin/hub.mjs`;
const PATIENCE_MS = 15_000;

const alive = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
});

export class HubProcess {
  readonly db: string;
  readonly port: number;
  /** Everything that all its lives printed. */
  output = "";
  readonly #options: ProcessOptions;
  #child!: ChildProcess;
  #exit!: Promise<Exit>;

  private constructor(options: ProcessOptions & { port: number }) {
    this.#options = options;
    this.port = options.port;
    this.db = options.db ?? join(tempDir(), "hub.db");
    this.#launch();
  }

  /** Starts a hub and waits until it is ready; killed when the test ends. @throws Error when it ends before. */
  static async start(options: ProcessOptions = {}): Promise<HubProcess> {
    const hub = await HubProcess.launch(options);
    await hub.ready();
    return hub;
  }

  /** Starts a hub without waiting, as for one that is expected to refuse. */
  static async launch(options: ProcessOptions = {}): Promise<HubProcess> {
    const hub = new HubProcess({ ...options, port: options.port ?? (await freePort()) });
    defer(() => hub.kill());
    return hub;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get url(): string {
    return this.origin + BASE_PATH;
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.port}${SOCKET_PATH}`;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** How its present life ended, once it has. */
  get exited(): Promise<Exit> {
    return this.#exit;
  }

  /** Waits until the hub says that it can commit. */
  async ready(): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (this.#child.exitCode === null && this.#child.signalCode === null) {
      const answer = await http(`${this.origin}/readyz`).catch(() => undefined);
      if (answer?.status === 200) return;
      if (performance.now() > deadline) throw new Error(`the hub is not ready in time:\n${this.output}`);
      await setTimeout(10);
    }
    throw new Error(`the hub ended before it was ready:\n${this.output}`);
  }

  /** Sends a signal, by default the one that cannot be caught, and waits for the end. */
  kill(signal: NodeJS.Signals = "SIGKILL"): Promise<Exit> {
    this.#child.kill(signal);
    return this.#exit;
  }

  /** Asks it to end in good order. */
  stop(): Promise<Exit> {
    return this.kill("SIGTERM");
  }

  /** Starts it again on the same file and port, and waits until it is ready. */
  async restart(): Promise<void> {
    await this.kill();
    this.#launch();
    await this.ready();
  }

  #launch(): void {
    const { under = [], args = [], env = {} } = this.#options;
    const [command, ...rest] = [...under, process.execPath, MAIN, ...args] as [string, ...string[]];
    const settings = {
      COORDINATION_HOST: "127.0.0.1",
      COORDINATION_PORT: String(this.port),
      COORDINATION_DB: this.db,
    };
    const child = spawn(command, rest, {
      env: { ...process.env, ...settings, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const collect = (chunk: Buffer) => {
      this.output += chunk;
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    alive.add(child);
    this.#child = child;
    this.#exit = once(child, "close").then(([code, signal]) => {
      alive.delete(child);
      return { code, signal };
    });
  }
}
