export { MemoryStore } from './memory-store.js';
export { type Answer, type CallOptions, startTestServer, type TestServer, type WatchLine } from './start-test-server.js';
