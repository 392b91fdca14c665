/// 16 columns of two rows, u and v, of the left operand of a product.
struct Rows {
  u0: vec4<f32>,
  u1: vec4<f32>,
  u2: vec4<f32>,
  u3: vec4<f32>,
  v0: vec4<f32>,
  v1: vec4<f32>,
  v2: vec4<f32>,
  v3: vec4<f32>,
}
