/** The program of `hop.ts`: sends back whatever it gets. */
import { type AddressInfo, createServer } from "node:net";

const server = createServer({ noDelay: true }, (socket) => socket.pipe(socket));
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit(0));
