// The line of one person: a proxy that everything their browser sends goes through, workers and WebSockets included.
// It writes down who was called, and it can be cut.
import { createServer, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { once } from "node:events";

export class Network {
  static async start() {
    const network = new Network();
    network.called = new Set();
    network.up = true;
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
      },
    );
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  }

  tunnel(request, socket, head) {
    this.called.add(request.url);
    const [host, port] = request.url.split(":");
    const onward = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.write(head);
      onward.pipe(socket);
      socket.pipe(onward);
    });
    this.keep(onward);
    onward.on("close", () => socket.destroy());
    socket.on("close", () => onward.destroy());
  }
}
