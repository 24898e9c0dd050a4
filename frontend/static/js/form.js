// The form's JavaScript. Without it the form still works: the server validates and answers.

import "./validation.js";
import "./photo.js";
import "./upload.js";
