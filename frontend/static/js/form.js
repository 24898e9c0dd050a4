// What the form gains from JavaScript. Without it, the server does and says all that matters.

import "./validation.js";
import "./photo.js";
import "./upload.js";
