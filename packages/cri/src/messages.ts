/** CRI v1 messages, their schemas and enums, as generated; the two service descriptors under names of their own. */
export * from './generated/runtime/v1/api_pb.js';
export { ImageService as ImageServiceDesc, RuntimeService as RuntimeServiceDesc } from './generated/runtime/v1/api_pb.js';
