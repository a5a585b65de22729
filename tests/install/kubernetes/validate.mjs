// node validate.mjs < DOCUMENTS (JSON array): what the schemas of the Kubernetes API say of each; status 1 when one is wrong.
// Fields that the API doesn't know are mistakes too: an API server would drop them.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.JIC_NODE_MODULES, 'index.js'));
const kinds = {
  'v1/ConfigMap': 'v1', 'v1/PersistentVolumeClaim': 'v1', 'v1/Service': 'v1', 'apps/v1/Deployment': 'apps/v1', 'networking.k8s.io/v1/Ingress': 'networking.k8s.io/v1',
};
let text = '';
for await (const piece of process.stdin) text += piece;
let wrong = 0;
for (const document of JSON.parse(text)) {
  const name = `${document.apiVersion}/${document.kind}`;
  try {
    const model = require(`kubernetes-models/${kinds[name]}/${document.kind}`)[document.kind];
    new model(document).validate();
    console.log(`${name}: valid`);
  } catch (error) {
    wrong = 1;
    console.error(`${name}: ${error.message}`);
  }
}
process.exit(wrong);
