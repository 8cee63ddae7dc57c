import { once } from 'node:events';
import { SwiftPeer } from '../peers/swift/swift-peer.ts';

// Starts a Swift and says where it is; stops it when the standard input ends.
const swift = await SwiftPeer.start();
process.stdout.write(`${JSON.stringify({ directory: swift.directory, pid: swift.pid })}\n`);
process.stdin.resume();
await once(process.stdin, 'end');
await swift.stop();
