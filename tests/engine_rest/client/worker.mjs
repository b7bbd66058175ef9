// A job worker on the official client. Tells what it sees, a JSON line each, on standard output.
import {
  BasicAuthInterceptor,
  Client,
  File,
  Variables,
} from "camunda-external-task-client-js";
import { readFileSync } from "node:fs";

const [baseUrl, username, password, paper] = process.argv.slice(2);
const say = (event, more = {}) => console.log(JSON.stringify({ event, ...more }));
const client = new Client({
  baseUrl,
  workerId: "node-worker",
  maxTasks: 5,
  interval: 50,
  asyncResponseTimeout: 10000,
  lockDuration: 20000,
  sorting: [{ sortBy: Client.SortBy.CreateTime, sortOrder: Client.SortOrder.ASC }],
  interceptors: new BasicAuthInterceptor({ username, password }),
});
client.on("poll:error", (error) => say("poll:error", { message: error.message }));
for (const verb of ["complete", "handleFailure", "handleBpmnError", "extendLock", "lock", "unlock"]) {
  client.on(`${verb}:error`, (task, error) => say(`${verb}:error`, {
    message: error.message, type: error.type, code: error.code, status: error.httpStatusCode,
  }));
}
client.on("poll:success", (tasks) => say("poll", { array: Array.isArray(tasks), count: tasks.length }));

client.subscribe("write", async ({ task, taskService }) => {
  const file = await new File({ localPath: paper, mimetype: "application/pdf" }).load();
  const variables = new Variables();
  variables.setAll({ text: "海州", whole: 7, part: 1.5, yes: true, nothing: null });
  variables.set("json", { list: [1, { deep: true }] });
  variables.set("at", new Date("2026-11-24T10:00:00.123Z"));
  variables.setTyped("long", { type: "long", value: 2 ** 40 });
  variables.setTyped("small", { type: "short", value: 12 });
  variables.setTyped("bytes", { type: "bytes", value: Buffer.from("abc").toString("base64") });
  variables.setTyped("paper", { type: "file", value: file });
  variables.setTransient("secret", "do not keep");
  await taskService.complete(task, variables);
  say("written", { key: task.businessKey });
});

client.subscribe("read", async ({ task, taskService }) => {
  const typed = task.variables.getAllTyped();
  const types = Object.fromEntries(Object.entries(typed).map(([name, each]) => [name, each.type]));
  const values = task.variables.getAll();
  const loaded = await values.paper.load();
  say("read", {
    types,
    at: values.at.toISOString(),
    json: values.json,
    long: values.long,
    text: values.text,
    file: loaded.filename,
    same: Buffer.compare(loaded.content, readFileSync(paper)) === 0,
  });
  const local = new Variables();
  local.set("draft", 1);
  await taskService.complete(task, undefined, local);
});

client.subscribe("flaky", async ({ task, taskService }) => {
  const retries = task.retries > 2 ? 2 : task.retries - 1;
  say("failing", { retries, message: task.errorMessage });
  await taskService.handleFailure(task, {
    errorMessage: "out of order", errorDetails: "line 1", retries, retryTimeout: 0,
  });
});

client.subscribe("refuse", async ({ task, taskService }) => {
  const variables = new Variables();
  variables.set("by", "node");
  await taskService.handleBpmnError(task, "REFUSED", "too late", variables);
});

client.subscribe("slow", async ({ task, taskService }) => {
  await taskService.extendLock(task, 60000);
  await taskService.unlock(task);
  await taskService.lock(task, 30000);
  await taskService.complete(task);
  await taskService.complete(task);
});

client.subscribe("steal", async ({ task, taskService }) => {
  say("holding", { id: task.id });
  await new Promise((resolve) => process.stdin.once("data", resolve));
  await taskService.complete(task);
});
say("ready");
