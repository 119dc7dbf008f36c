/** Whether the message that a template renders to can be sent. In a file of its own, because it loads the validator. */
import { type WholeMessage, wholeMessage } from "../../../../shared/sendRule.ts";
import { validate } from "../../../../shared/validate.ts";

/** @throws HubError naming the field that could not be sent like this. */
export type CheckWhole = (fields: unknown) => WholeMessage;

export const checkWhole: CheckWhole = (fields) => validate(wholeMessage, fields);
