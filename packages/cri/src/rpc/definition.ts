import { create, type DescMessage, type DescMethod, type DescService, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import type { MethodDefinition } from '@grpc/grpc-js';

/** The grpc-js definition of one protoc-gen-es method. */
export function methodDefinition(service: DescService, method: DescMethod): MethodDefinition<Message, Message> {
  const serialize = (desc: DescMessage) => (message: Message) => {
    const bytes = toBinary(desc, message.$typeName === undefined ? create(desc, message) : message);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
  const deserialize = (desc: DescMessage) => (bytes: Buffer) => fromBinary(desc, bytes);
  return {
    path: `/${service.typeName}/${method.name}`,
    requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
    responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
    requestSerialize: serialize(method.input),
    requestDeserialize: deserialize(method.input),
    responseSerialize: serialize(method.output),
    responseDeserialize: deserialize(method.output),
  };
}
