// Joins one call with the real Socket.IO client in its default configuration (polling, then upgrade) and prints
// everything it receives, one JSON object a line: {"event": ..., "data": ...}, and beside those
// {"event": "opened"|"upgraded"|"connected", "transport": ...} and {"event": "disconnected", ...}. On a fast line the
// transport is upgraded before the namespace is connected, so "opened" says what the client began with.
//
//   node join_call.mjs URL TOKEN SESSION_ID [--token-in auth|join] [--interim] [--timeout SECONDS]
//
// With --interim it also asks for what the caller says while it is said (call:transcript with isFinal false).
// Ends with 0 after call:ended, 3 after a call:error the call does not survive, 4 when the time is up.
import { parseArgs } from "node:util";

import { io } from "socket.io-client";

const ENDED = 0;
const REFUSED = 3;
const TIMED_OUT = 4;
const SURVIVABLE = new Set(["STT_ERROR", "LLM_ERROR", "TTS_ERROR"]);

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    "token-in": { type: "string", default: "auth" },
    interim: { type: "boolean", default: false },
    timeout: { type: "string", default: "60" },
  },
});
const [url, token, sessionId] = positionals;
const isInAuth = values["token-in"] === "auth";

const socket = isInAuth ? io(url, { auth: { token } }) : io(url);
const timer = setTimeout(() => leave(TIMED_OUT), Number(values.timeout) * 1000);

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function leave(code) {
  process.exitCode = code;
  clearTimeout(timer);
  socket.disconnect();
}

socket.io.on("open", () => {
  say({ event: "opened", transport: socket.io.engine.transport.name });
  socket.io.engine.on("upgrade", (transport) => say({ event: "upgraded", transport: transport.name }));
});

socket.on("connect", () => {
  say({ event: "connected", transport: socket.io.engine.transport.name });
  socket.emit("call:join", {
    sessionId,
    ...(isInAuth ? {} : { token }),
    ...(values.interim ? { interim: true } : {}),
  });
});

socket.on("connect_error", (error) => say({ event: "connect_error", data: error.message }));
socket.on("disconnect", (reason) => say({ event: "disconnected", data: reason }));

socket.onAny((event, data) => {
  say({ event, data });
  if (event === "call:ended") leave(ENDED);
  if (event === "call:error" && !SURVIVABLE.has(data?.error?.code)) leave(REFUSED);
});
