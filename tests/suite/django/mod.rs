//! Tests of django: the wheel, installed as users install it, in a project on real servers. What the package
//! does by itself is tested in integrations/django/tests.

mod docs;
mod moved;
mod project;
mod wheel;
