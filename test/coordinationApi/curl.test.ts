/** The document's life of a task, typed into a shell: the real curl against the hub. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startHub } from "../support/hub.ts";
import { requires } from "../support/requires.ts";

const program = requires("curl");

interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely; the assertion is the check
  body: any;
}

/** Runs curl as a person would. */
async function curl(...args: string[]): Promise<Answer> {
  const { stdout } = await promisify(execFile)(program, ["-sS", "-w", "\n%{http_code}", ...args]);
  const end = stdout.lastIndexOf("\n");
  return { status: Number(stdout.slice(end + 1)), body: JSON.parse(stdout.slice(0, end)) };
}

const JSON_BODY = ["-H", "Content-Type: application/json", "-d"];
const TASK = `{
  "from_claude": "windows_frontend",
  "to_claude": "server_backend",
  "task": "Scrape latest RSS feeds for market data",
  "context": "Need articles – “published” in the last 24h",
  "type": "task"
}`;

test("a task is sent, found, claimed, completed, counted and deleted", async () => {
  const { url } = await startHub();
  const sent = await curl(`${url}/message`, ...JSON_BODY, TASK);
  expect(sent.status).toBe(201);
  expect(sent.body).toMatchObject({ success: true, data: { ...JSON.parse(TASK), status: "pending" } });
  const { id } = sent.body.data;

  const found = await curl(`${url}/messages?to_claude=server_backend&status=pending`);
  expect(found).toMatchObject({ status: 200, body: { success: true, count: 1, data: [sent.body.data] } });

  const claim = ["-X", "PUT", `${url}/message/${id}`, ...JSON_BODY, '{"status": "in_progress"}'];
  expect(await curl(...claim)).toMatchObject({ status: 200, body: { data: { status: "in_progress" } } });
  expect((await curl(...claim)).status).toBe(409);

  const result = '{"status": "complete", "result": "Scraped 150 articles from 6 feeds"}';
  const done = await curl("-X", "PUT", `${url}/message/${id}`, ...JSON_BODY, result);
  expect(done).toMatchObject({ status: 200, body: { data: JSON.parse(result) } });
  expect(await curl(`${url}/message/${id}`)).toEqual(done);

  const { body } = await curl(`${url}/stats`);
  expect(body).toEqual({ success: true, data: { total: 1, pending: 0, in_progress: 0, complete: 1, failed: 0 } });

  const deleted = await curl("-X", "DELETE", `${url}/message/${id}`);
  expect(deleted).toEqual({ status: 200, body: { success: true, message: `Message deleted: ${id}` } });
  expect((await curl(`${url}/message/${id}`)).body.error).toBe("Message not found");
});

test("a heartbeat is answered, and a body without its content type is explained", async () => {
  const { url } = await startHub();
  const beat = await curl(`${url}/heartbeat`, ...JSON_BODY, '{"claude_id": "server_backend"}');
  expect(beat).toMatchObject({ status: 200, body: { success: true, claude_id: "server_backend" } });
  const bare = await curl(`${url}/heartbeat`, "-d", '{"claude_id": "server_backend"}');
  expect(bare).toMatchObject({ status: 400, body: { code: "bad_json" } });
  expect(bare.body.error).toContain("Content-Type: application/json");
});
