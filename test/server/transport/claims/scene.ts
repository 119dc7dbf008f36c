/** A hub whose clock is held, someone who sends tasks, and workers that ask for them. */
import { setTimeout } from "node:timers/promises";
import type { CreateHubOptions } from "../../../../server/index.ts";
import type { EventMessage } from "../../../../shared/event.ts";
import { ManualClock } from "../../../support/clock.ts";
import { http } from "../../../support/http.ts";
import { startHub, type TestHub } from "../../../support/hub.ts";
import { RawSocket } from "../../../support/rawSocket.ts";
import { pass } from "../pass.ts";

export class Scene {
  readonly clock: ManualClock;
  readonly hub: TestHub;
  /** Sends the tasks, all to bob, and is told what becomes of them. */
  readonly ada: RawSocket;

  private constructor(clock: ManualClock, hub: TestHub, ada: RawSocket) {
    this.clock = clock;
    this.hub = hub;
    this.ada = ada;
  }

  static async start(options: CreateHubOptions = {}, clock = new ManualClock()): Promise<Scene> {
    const hub = await startHub({ clock, ...options });
    return new Scene(clock, hub, await RawSocket.greet(hub.wsUrl, { claude_id: "ada" }));
  }

  async send(fields: object = {}): Promise<EventMessage> {
    return (await this.ada.call("send", { to_claude: "bob", task: "t", ...fields })).message;
  }

  /** A socket of bob's. */
  worker(run: string): Promise<RawSocket> {
    return RawSocket.greet(this.hub.wsUrl, { claude_id: "bob", run });
  }

  /** What the hub says of a task now. */
  look(id: string) {
    return this.ada.call("get", { id });
  }

  /** Lets time pass, and what it made due be noticed, however slow the disk was meanwhile. */
  async pass(ms: number): Promise<void> {
    await pass(this.clock, ms);
    await this.committed();
    this.clock.advance(0);
  }

  /** Waits for a commit after whatever was asked for so far. */
  async committed(): Promise<void> {
    await http(`${this.hub.origin}/readyz`);
  }

  /** Waits until the hub has noticed that bob has so many connections, and has written what follows from it. */
  async connections(count: number): Promise<void> {
    const bob = async () => (await http(`${this.hub.url}/presence/bob`)).body.data.instances[0];
    while ((await bob()).connections.length !== count) await setTimeout(1);
    await this.committed();
  }
}
