// The page of a new monitor.

import { connectForms } from "./forms.js";

connectForms(document);
