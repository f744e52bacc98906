// The line of one person: a proxy that everything their browser sends goes through, workers and WebSockets included.
// It writes down who was called, it can be cut, and it can lie.
import { createServer, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { once } from "node:events";

/** Every frame has one size (crates/wire/src/limits.rs); over WebSocket it is one binary message with this head. */
const FRAME_BYTES = 2_048;
const FRAME_HEAD = Buffer.from([0x82, 0x7e, FRAME_BYTES >> 8, FRAME_BYTES & 0xff]);

export class Network {
  static async start() {
    const network = new Network();
    network.called = new Set();
    network.up = true;
    /** How many of the next frames from a relay are changed on the way. */
    network.lies = 0;
    /** What was posted and answered: path, and bytes of both bodies. */
    network.posts = [];
    /** Bytes that went through tunnels, which is what WebSockets take, to a relay and from it. */
    network.sent = 0;
    network.got = 0;
    network.sockets = new Set();
    network.server = createServer((request, response) => network.forward(request, response));
    network.server.on("connect", (request, socket, head) => network.tunnel(request, socket, head));
    network.server.on("connection", (socket) => network.keep(socket));
    network.server.listen(0, "127.0.0.1");
    await once(network.server, "listening");
    return network;
  }

  get address() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  /** Cuts every connection, and every later one, until `restore`. */
  cut() {
    this.up = false;
    for (const socket of this.sockets) socket.destroy();
  }

  restore() {
    this.up = true;
  }

  stop() {
    this.cut();
    this.server.close();
  }

  keep(socket) {
    if (!this.up) socket.destroy();
    this.sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.sockets.delete(socket));
  }

  forward(request, response) {
    const url = new URL(request.url);
    this.called.add(url.host);
    const onward = httpRequest(
      { host: url.hostname, port: url.port, path: url.pathname + url.search, method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode, answer.rawHeaders);
        answer.pipe(response);
        if (request.method !== "POST") return;
        const body = { path: url.pathname, sent: 0, got: 0 };
        answer.on("data", (chunk) => { body.got += chunk.length; });
        answer.on("end", () => this.posts.push({ ...body, sent }));
      },
    );
    let sent = 0;
    request.on("data", (chunk) => { sent += chunk.length; });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  }

  /** Flips a bit amid each whole frame that a relay sends, while there are lies left. */
  maybeChanged(chunk) {
    let at = chunk.indexOf(FRAME_HEAD);
    while (at >= 0 && this.lies > 0 && at + FRAME_HEAD.length + FRAME_BYTES <= chunk.length) {
      chunk[at + FRAME_HEAD.length + FRAME_BYTES / 2] ^= 1;
      this.lies -= 1;
      at = chunk.indexOf(FRAME_HEAD, at + FRAME_HEAD.length + FRAME_BYTES);
    }
    return chunk;
  }

  tunnel(request, socket, head) {
    this.called.add(request.url);
    const [host, port] = request.url.split(":");
    const onward = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.write(head);
      onward.on("data", (chunk) => {
        this.got += chunk.length;
        socket.write(this.maybeChanged(chunk));
      });
      socket.on("data", (chunk) => { this.sent += chunk.length; });
      socket.pipe(onward);
    });
    this.keep(onward);
    onward.on("close", () => socket.destroy());
    socket.on("close", () => onward.destroy());
  }
}
