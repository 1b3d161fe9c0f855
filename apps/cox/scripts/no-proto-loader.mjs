// Stands for @grpc/proto-loader in the bundle: grpc-js loads it, and protobufjs with it, only for its channelz service, which nobody here registers.
export function loadSync() {
  throw new Error('the channelz service of grpc-js is not part of this program');
}
