import { create, toBinary } from '@bufbuild/protobuf';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';
import { type OciProgramsOptions, ociPrograms, RuntimeHandlers } from '@coxswain/cri-runtime';
import { OptionsSchema } from '../generated/containerd/runc/v1/options_pb.js';

/** containerd's shim for OCI runtimes that have runc's command line. */
const SHIM = 'io.containerd.runc.v2';

/** How containerd runs a container: which shim, and what that runs. */
export interface ShimRuntime {
  readonly name: string;
  readonly options: Any;
}

/** The OCI runtimes of this node behind containerd's shim, by RuntimeClass handler. A container keeps the one it was made with. */
export class ShimRuntimes extends RuntimeHandlers<ShimRuntime> {
  static async open(options: OciProgramsOptions): Promise<ShimRuntimes> {
    const programs = await ociPrograms(options);
    return new ShimRuntimes(new Map([...programs].map(([handler, program]) => [handler, { name: SHIM, options: shimOptions(program) }])));
  }
}

const shimOptions = (binaryName: string): Any =>
  create(AnySchema, { typeUrl: OptionsSchema.typeName, value: toBinary(OptionsSchema, create(OptionsSchema, { binaryName })) });
