import { create, toBinary } from '@bufbuild/protobuf';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';
import { type OciProgramsOptions, ociPrograms, RuntimeHandlers } from '@coxswain/cri-runtime';
import { OptionsSchema } from '../generated/containerd/runc/v1/options_pb.js';

/** containerd's shim for OCI runtimes that have runc's command line. */
const SHIM = 'io.containerd.runc.v2';

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** How containerd runs a container: which shim, and what that runs. */
export interface ShimRuntime {
  /** The OCI runtime. */
  readonly program: string;
  /** In containerd's words. `owner`: whose the pipes of the container's processes are, on the host. */
  readonly info: (owner?: Owner) => { readonly name: string; readonly options: Any };
}

/** The OCI runtimes of this node behind containerd's shim, by RuntimeClass handler. A container keeps the one it was made with. */
export class ShimRuntimes extends RuntimeHandlers<ShimRuntime> {
  /** `stateDir`: the OCI runtimes' own state, else in one folder of the whole machine, where what a kill left would stay. */
  static async open({ stateDir, ...options }: OciProgramsOptions & { readonly stateDir: string }): Promise<ShimRuntimes> {
    const programs = await ociPrograms(options);
    const runtime = (program: string): ShimRuntime => ({ program, info: (owner) => ({ name: SHIM, options: shimOptions(program, stateDir, owner) }) });
    return new ShimRuntimes(new Map([...programs].map(([handler, program]) => [handler, runtime(program)])));
  }
}

const shimOptions = (binaryName: string, root: string, owner: Owner = { uid: 0, gid: 0 }): Any =>
  create(AnySchema, {
    typeUrl: OptionsSchema.typeName,
    value: toBinary(OptionsSchema, create(OptionsSchema, { binaryName, root, ioUid: owner.uid, ioGid: owner.gid })),
  });
