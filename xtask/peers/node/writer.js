// The thread that stores messages, each group in one transaction.
import { parentPort, workerData } from "node:worker_threads";
import { INSERT_MESSAGE, open } from "./database.js";

const database = open(workerData);
const insert = database.prepare(INSERT_MESSAGE);
const insertAll = database.transaction((group) =>
  group.map((values) => Number(insert.run(...values).lastInsertRowid)),
);

parentPort.on("message", (group) => parentPort.postMessage(insertAll.immediate(group)));
