import { createdAtColumn, nameColumn } from '../../printing/column.js';
import { customResourceDefinitionStatusStrategy, customResourceDefinitionStrategy } from '../../strategies/apiextensions.js';
import { defineGroup } from '../define.js';

export const apiextensions = defineGroup('apiextensions.k8s.io', 'v1', 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1', [
  {
    kind: 'CustomResourceDefinition',
    resource: 'customresourcedefinitions',
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    namespaced: false,
    storagePrefix: '/registry/apiextensions.k8s.io/customresourcedefinitions',
    strategy: customResourceDefinitionStrategy,
    status: customResourceDefinitionStatusStrategy,
    columns: [nameColumn, createdAtColumn],
  },
]);
