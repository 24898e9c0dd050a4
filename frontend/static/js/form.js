// What the form gains from JavaScript. Without it, the server does and says all that matters.

import "./fields.js";
import "./photo.js";
import "./sending.js";
