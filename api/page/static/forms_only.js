// Pages that do no more than their forms.

import { connectForms } from "./forms.js";

connectForms(document);
