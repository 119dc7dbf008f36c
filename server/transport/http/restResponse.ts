/** Answers in the REST shapes of the operations table: the document's, to the letter. */
import { MAIN_PART, type RestShape } from "../../../shared/operations/index.ts";
import type { Answer } from "../../hub/answer.ts";
import { answerJson } from "../../hub/answer.ts";

interface RestResponse {
  status: number;
  body: string;
}

export function toRestResponse(shape: RestShape, answer: Answer): RestResponse {
  const parts = "parts" in answer ? answer.parts : {};
  const status = shape === "sent" && parts.deduplicated === "false" ? 201 : 200;
  return { status, body: `{"success":true,${fields(shape, answer, parts)}}` };
}

function fields(shape: RestShape, answer: Answer, parts: Readonly<Record<string, string>>): string {
  if (shape === "deleted") return `"message":${JSON.stringify(`Message deleted: ${JSON.parse(parts.id as string)}`)}`;
  if (shape === "data" || shape === "page") return `"data":${answerJson(answer)}`;
  const main = shape === "beat" ? undefined : MAIN_PART[shape];
  const names = Object.keys(parts).sort((a, b) => Number(b === "count") - Number(a === "count"));
  return names.map((name) => `"${name === main ? "data" : name}":${parts[name]}`).join(",");
}
