/** The hub's readers: observers of everything, or named instances that get what is sent to `*`. */
import type { Page } from "../../../shared/index.ts";
import { type HelloFields, HubSocket } from "./hubSocket.ts";
import { EVENT, type LeanClient } from "./lean.ts";

const observers = (): HelloFields => ({ scope: "all" });
const instances = (index: number): HelloFields => ({ claude_id: `reader_${index}`, run: `run-${index}` });

/** Every reader is an observer; one instance writes to another. */
export const hubObservers = leanHub(observers, EVENT.message.to_claude);

/** Every reader is an instance; one more writes to all. */
export const hubInstances = leanHub(instances, "*");

function leanHub(helloOf: (index: number) => HelloFields, to_claude: string): LeanClient {
  const { task, type } = EVENT.message;
  return {
    async reader(port, index, onEvents) {
      const { hub } = await HubSocket.open(port, helloOf(index), (page) => onEvents(newOf(page)));
      return hub;
    },
    async publisher(port) {
      const { hub } = await HubSocket.open(port, { claude_id: EVENT.actor, run: "publisher" });
      const send = () => hub.request("send", { to_claude, task, type });
      return {
        publish: (count) => void Promise.all(Array.from({ length: count }, send)),
        close: () => hub.close(),
      };
    },
  };
}

const newOf = (page: Page) => page.events.filter(({ kind }) => kind === "new").length;
