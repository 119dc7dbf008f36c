/** What can be asked of one message. */
export type Command =
  | {
      readonly op: "claim";
      readonly claim_key?: string | undefined;
      /** Whether a chat is refused instead of marked as being read. */
      readonly tasksOnly?: boolean | undefined;
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
  | { readonly op: "release"; readonly attempt?: number | undefined }
  /** Time has come: `wake_at` is reached. */
  | { readonly op: "wake" };

export type CommandOf<Op extends Command["op"]> = Extract<Command, { op: Op }>;
