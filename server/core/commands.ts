/** What can be asked of one message. */
export type Command =
  | {
      readonly op: "claim";
      readonly claim_key?: string | undefined;
      /** Whether a chat is refused instead of marked as being read. */
      readonly tasksOnly?: boolean | undefined;
      /** From the document's update; they stay in the message until the try ends. */
      readonly result?: string | undefined;
      readonly error?: string | undefined;
    }
  | {
      readonly op: "complete";
      readonly attempt?: number | undefined;
      readonly result?: string | undefined;
      readonly error?: string | undefined;
    }
  | {
      readonly op: "fail";
      readonly attempt?: number | undefined;
      readonly result?: string | undefined;
      readonly error?: string | undefined;
      readonly retryable?: boolean | undefined;
    }
  | {
      readonly op: "release";
      readonly attempt?: number | undefined;
      readonly reason?: string | undefined;
      /** How long it cannot be claimed, ms. */
      readonly rest_ms?: number | undefined;
    }
  | { readonly op: "cancel"; readonly reason?: string | undefined }
  | {
      readonly op: "retry";
      /** How many messages it must wait for again. */
      readonly blocked?: number;
    }
  | {
      readonly op: "extend";
      readonly attempt?: number | undefined;
      /** How long the claim is safe from now on, ms; left out: as long as a detached claim. */
      readonly lease_ms?: number | undefined;
    }
  | {
      readonly op: "progress";
      readonly attempt?: number | undefined;
      readonly percent?: number | undefined;
      readonly note?: string | undefined;
    }
  /** The recipient's model has it in context. */
  | { readonly op: "seen" }
  /** Time has come: `wake_at` is reached. */
  | { readonly op: "wake" };

export type CommandOf<Op extends Command["op"]> = Extract<Command, { op: Op }>;

/** What the state machines decide; `seen` is the same for every message in every state. */
export type Transition = Exclude<Command, { op: "seen" }>;

/** Whether the command has parameters that are for tasks only. */
export const isForTasks = (command: Command): boolean =>
  (command.op === "claim" && command.tasksOnly === true) ||
  (command.op === "release" && (command.reason ?? command.rest_ms) !== undefined);
