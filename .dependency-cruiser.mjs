/**
 * Who may import whom (ARCHITECTURE §2): api ← apimachinery ← sdk ← {client, host, sdk-testing} ← controller ← components ← cluster ← apps.
 * Pure and protocol packages stand beside api; plugins never import a component or another plugin.
 */
const protocol = ['mvcc', 'etcd-api', 'linux', 'pki', 'cri', 'csi', 'dra', 'oci', 'cni', 'cel'];
/** Of those, the ones that stand on others. */
const standing = ['etcd-api', 'csi', 'dra', 'cel'];
const components = ['apiserver', 'scheduler', 'controller-manager', 'cloud-controller-manager', 'kubelet', 'kube-proxy'];
const src = (names) => `^packages/(${names.join('|')})/`;
const notTests = '\\.test\\.ts$';
// What only tests use composes as they do.
const testHelpers = '^packages/(apiserver|controller-manager|kubelet)/src/testing/';
// A component's program composes it with plugins, as an app does: docs/adr/0012.
const programs = '/src/(bin\\.ts$|command/)';

const onlyImports = (name, from, allowed, { tests = true } = {}) => ({
  name,
  severity: 'error',
  from: { path: from, pathNot: [programs, testHelpers, ...(tests ? [notTests] : [])] },
  to: { path: '^(packages|plugins|apps)/', pathNot: allowed },
});

export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: { pathNot: '/generated/' }, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    onlyImports('api-imports-nothing', src(['api']), src(['api'])),
    onlyImports('apimachinery-imports-api', src(['apimachinery']), src(['api', 'apimachinery'])),
    ...protocol.filter((p) => !standing.includes(p)).map((p) => onlyImports(`${p}-stands-alone`, src([p]), src([p]))),
    onlyImports('etcd-api-imports-sdk-and-rpc', src(['etcd-api']), src(['etcd-api', 'sdk', 'cri'])),
    onlyImports('csi-imports-rpc', src(['csi']), src(['csi', 'cri'])),
    onlyImports('dra-imports-registration', src(['dra']), src(['dra', 'csi', 'cri'])),
    onlyImports('cel-imports-values', src(['cel']), src(['cel', 'api', 'apimachinery'])),
    onlyImports('sdk-imports-types', src(['sdk']), src(['sdk', 'api', 'apimachinery', 'cri', 'cni'])),
    onlyImports('client-imports-sdk', src(['client']), src(['client', 'sdk', 'api', 'apimachinery'])),
    onlyImports('host-imports-sdk', src(['host']), src(['host', 'sdk'])),
    onlyImports('command-imports-host-and-client', src(['command']), src(['command', 'host', 'sdk', 'client', 'apimachinery', 'pki'])),
    onlyImports('sdk-testing-imports-sdk', src(['sdk-testing']), src(['sdk-testing', 'sdk', 'api', 'apimachinery', ...protocol])),
    onlyImports('controller-imports-client', src(['controller']), src(['controller', 'client', 'sdk', 'api', 'apimachinery'])),
    onlyImports('cri-runtime-imports-protocols', src(['cri-runtime']), src(['cri-runtime', 'sdk', 'cri', 'oci', 'cni', 'linux'])),
    ...components.map((c) =>
      onlyImports(`${c}-meets-others-through-the-api`, src([c]), src([c, 'controller', 'client', 'sdk', 'api', 'apimachinery', ...protocol])),
    ),
    onlyImports('cluster-imports-no-plugin', src(['cluster']), '^packages/'),
    // A composition root that third parties import: see docs/adr/0010.
    onlyImports('testing-composes', src(['testing']), ['^packages/', '^plugins/cri-sim/']),
    {
      name: 'plugins-import-no-component-and-no-plugin',
      severity: 'error',
      // The dashboard's build copies the front end that an app of its own builds.
      from: { path: '^plugins/([^/]+)/', pathNot: [notTests, programs, '^plugins/dashboard/scripts/'] },
      to: {
        path: '^(packages|plugins|apps)/',
        pathNot: ['^plugins/$1/', src(['sdk', 'client', 'controller', 'api', 'apimachinery', 'cri-runtime', ...protocol])],
      },
    },
    {
      name: 'programs-compose-plugins',
      severity: 'error',
      from: { path: `^(packages|plugins)/([^/]+)${programs}`, pathNot: notTests },
      to: {
        path: '^(packages|plugins|apps)/',
        // Of components, plugins' programs know only the API server, whose runtime serves custom APIs.
        pathNot: [
          '^$1/$2/',
          '^plugins/',
          src(['command', 'host', 'apiserver', 'sdk', 'client', 'controller', 'api', 'apimachinery', 'cri-runtime', ...protocol]),
        ],
      },
    },
    {
      name: 'libraries-run-no-programs',
      severity: 'error',
      from: { pathNot: [programs, notTests, '^apps/', '^packages/command/'] },
      to: { path: [programs, '^packages/command/'] },
    },
    {
      name: 'no-deep-imports',
      severity: 'error',
      from: { path: '^(packages|plugins|apps)/([^/]+)/' },
      to: { path: '^(packages|plugins)/([^/]+)/src/(?!((command|run|on-demand|socket|testing)/)?index\\.ts$)', pathNot: '^$1/$2/' },
    },
    { name: 'test-helpers-are-for-tests', severity: 'error', from: { pathNot: [notTests, testHelpers, '^packages/testing/'] }, to: { path: testHelpers } },
    { name: 'no-tests-in-source', severity: 'error', from: { pathNot: '\\.test\\.ts$' }, to: { path: '\\.test\\.ts$' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules|dist' },
    exclude: { path: '(^|/)dist/|/node_modules/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['coxswain-source', 'import', 'types', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
