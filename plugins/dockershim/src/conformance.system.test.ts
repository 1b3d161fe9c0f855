import { buildBusyboxImage, LoopbackRegistry } from '@coxswain/oci';
import { criSuite } from '@coxswain/sdk-testing';
import { TestNode } from './test-node.js';

criSuite({
  name: 'dockershim',
  without: ['user-namespaces'],
  async start() {
    const [registry, elsewhere] = await Promise.all([LoopbackRegistry.start(), LoopbackRegistry.start()]);
    const node = await TestNode.start(208);
    const variant = (name: string) => buildBusyboxImage({ extraFiles: { '/variant': name } });
    const base = await buildBusyboxImage();
    const tagged = await variant('tagged');
    return {
      endpoint: node.cri.endpoint,
      images: {
        base: registry.add('suite/base', 'v1', base),
        threeTags: [registry.add('suite/tagged', '1', tagged), registry.add('suite/tagged', '2', tagged), registry.add('suite/tagged', '3', tagged)],
        threeImages: [
          registry.add('suite/one', 'v1', await variant('1')),
          registry.add('suite/two', 'v1', await variant('2')),
          registry.add('suite/three', 'v1', await variant('3')),
        ],
        baseElsewhere: elsewhere.add('mirror/base', 'v1', base),
        userId: registry.add('suite/user-id', 'v1', await buildBusyboxImage({ config: { User: '1002' } })),
        userName: registry.add('suite/user-name', 'v1', await buildBusyboxImage({ config: { User: 'nobody' } })),
        groups: registry.add(
          'suite/groups',
          'v1',
          await buildBusyboxImage({
            extraFiles: {
              '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nmember:x:1000:1000::/:/bin/sh\n',
              '/etc/group': 'root:x:0:\nmember:x:1000:\nextra:x:50000:member\n',
            },
          }),
        ),
      },
      async stop() {
        await node.destroy();
        await Promise.all([registry.close(), elsewhere.close()]);
      },
    };
  },
});
