/** The database's thread: the only one that touches the file. A shell around the host. */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { CheckWhole } from "../../engine/templates/whole.ts";
import { SqliteHost } from "../file/host.ts";
import type { HostOptions } from "../file/openFile.ts";
import { BusyPoll } from "./busyPoll.ts";
import { decodeCommands, encodeResult } from "./commitWire.ts";
import { type ThreadOpened, type ThreadReply, type ThreadRequest, toFailure } from "./wire.ts";

const port = parentPort as NonNullable<typeof parentPort>;

/** Loads the validator with the first template that is sent: the thread starts sooner without it. */
const checkWhole: CheckWhole = (fields) => {
  const whole: typeof import("../../engine/templates/whole.ts") = require("../../engine/templates/whole.ts");
  return whole.checkWhole(fields);
};

try {
  serve(new SqliteHost(workerData as HostOptions, checkWhole));
} catch (error) {
  port.postMessage({ opened: false, message: (error as Error).message } satisfies ThreadOpened);
}

function serve(host: SqliteHost): void {
  port.postMessage({ opened: true, ...host.opened } satisfies ThreadOpened);
  const poll = new BusyPoll();
  const look = () => receiveMessageOnPort(port)?.message as ThreadRequest | undefined;
  port.on("message", (first: ThreadRequest) => {
    let request: ThreadRequest | undefined = first;
    while (request) {
      poll.end();
      handle(host, request);
      poll.begin();
      request = isBusy(request) ? poll.look(look) : undefined;
    }
  });
}

const isBusy = ({ method, args }: ThreadRequest) => method === "commit" && args[2];

function handle(host: SqliteHost, request: ThreadRequest): void {
  answer(host, request);
  if (request.method === "commit") host.noteProgress();
  if (request.method === "close") port.close();
}

function answer(host: SqliteHost, request: ThreadRequest): void {
  try {
    reply({ id: request.id, ok: true, value: call(host, request) });
  } catch (error) {
    refuse(request.id, error);
  }
}

function call(host: SqliteHost, { method, args }: ThreadRequest): unknown {
  switch (method) {
    case "commit":
      return encodeResult(host.commit(decodeCommands(args[0]), args[1]));
    case "endList":
      return host.endList();
    case "close":
      return host.close();
    default:
      return host.read(method, args);
  }
}

const reply = (message: ThreadReply) => port.postMessage(message);

function refuse(id: number, error: unknown): void {
  reply({ id, ok: false, error: toFailure(error) });
}
