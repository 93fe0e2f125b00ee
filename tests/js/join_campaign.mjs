// Joins one campaign with the real Socket.IO client in its default configuration and prints everything it receives, one
// JSON object a line: {"event": ..., "data": ...}, and {"event": "joined", "data": the acknowledgement}.
//
//   node join_campaign.mjs URL TOKEN CAMPAIGN_ID [--timeout SECONDS]
//
// Ends with 0 when the campaign is over, 3 when it may not be watched, 4 when the time is up.
import { parseArgs } from "node:util";

import { io } from "socket.io-client";

const OVER = 0;
const REFUSED = 3;
const TIMED_OUT = 4;
const FINAL = new Set(["completed", "stopped"]);

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { timeout: { type: "string", default: "60" } },
});
const [url, token, campaignId] = positionals;

const socket = io(url, { auth: { token } });
const timer = setTimeout(() => leave(TIMED_OUT), Number(values.timeout) * 1000);

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function leave(code) {
  process.exitCode = code;
  clearTimeout(timer);
  socket.disconnect();
}

socket.on("connect", () => {
  socket.emit("campaign:join", { campaignId }, (data) => {
    say({ event: "joined", data });
    if (!data.success) leave(REFUSED);
  });
});

socket.on("connect_error", (error) => say({ event: "connect_error", data: error.message }));

socket.onAny((event, data) => {
  say({ event, data });
  if (event === "campaign:progress" && FINAL.has(data.status)) leave(OVER);
  if (event === "campaign:error") leave(REFUSED);
});
